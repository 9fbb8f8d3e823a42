import { numberOf } from '../../common/item-keys.ts'
import type { EngineEvent, Listener } from '../../engine/stage.ts'

/** Upper bounds of the histogram of run durations, seconds. */
export const BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300]

/** What a pass of one stage came to, in numbers. */
export interface StageMetrics {
  readonly stage: string
  attempted: number
  succeeded: number
  failed: number
  bytes: number
  /** Highest run that was archived in this pass. */
  lastSuccessfulRun: number | undefined
  /** Milliseconds of the whole pass. */
  milliseconds: number | undefined
  stopped: boolean
  /** Runs by duration; one more than there are bounds. */
  readonly durations: number[]
  durationSum: number
}

/** One measurement for Carbon: the original's name without the prefix. */
export interface Sample {
  readonly name: string
  readonly value: number
  /** Epoch milliseconds. */
  readonly at: number
}

/** The original's names for what one run of a stage takes. */
const RUN_METRIC: Readonly<Record<string, string>> = {
  import: 'ArtdaqDBClient.archive_run.duration_ms',
  migrate: 'UconDBClient.upload_blob.duration_ms',
}
const EXPORT_METRIC = 'ArtdaqDBClient.export_run_configuration.duration_ms'

/** Counts a pass while it runs. */
export class PassMetrics {
  readonly #now: () => number
  readonly #stages = new Map<string, StageMetrics>()
  /** The newest measurement of each name and second: Carbon keeps no finer time, so that a long pass is not a long list. */
  readonly #samples = new Map<string, Sample>()
  readonly startedAt: number

  constructor(now: () => number) {
    this.#now = now
    this.startedAt = now()
  }

  get stages(): readonly StageMetrics[] {
    return [...this.#stages.values()]
  }

  readonly listener: Listener = (event: EngineEvent) => {
    const stage = this.#of(event.stage)
    switch (event.type) {
      case 'item-done':
        stage.attempted += 1
        stage.succeeded += 1
        stage.bytes += event.processed.bytes
        stage.lastSuccessfulRun = Math.max(stage.lastSuccessfulRun ?? 0, numberOf(event.key) ?? 0)
        this.#ran(stage, event.milliseconds, event.processed.times?.['exported'])
        break
      case 'item-failed':
        stage.attempted += 1
        stage.failed += 1
        this.#ran(stage, event.milliseconds)
        break
      case 'pass-finished':
        stage.milliseconds = event.summary.milliseconds
        stage.stopped = event.summary.stopped !== undefined
        break
      case 'pass-started':
      case 'item-started':
      case 'item-retry':
      case 'item-lost':
      case 'batch-committed':
      case 'pass-stopped':
        break
    }
  }

  /** How long something took that the engine does not report: `ArtdaqDBClient.get_archived_runs.duration_ms`. */
  duration(name: string, milliseconds: number): void {
    const at = this.#now()
    this.#samples.set(`${name} ${Math.floor(at / 1000)}`, { name, value: Math.round(milliseconds), at })
  }

  /** Everything for Carbon. `migrate.*` as in the original, and the same for `import`. */
  samples(): Sample[] {
    const at = this.#now()
    const totals = this.stages.flatMap((stage): Sample[] => [
      { name: `${stage.stage}.runs_processed`, value: stage.attempted, at },
      { name: `${stage.stage}.runs_successful`, value: stage.succeeded, at },
      { name: `${stage.stage}.runs_failed`, value: stage.failed, at },
      ...(stage.lastSuccessfulRun === undefined
        ? []
        : [{ name: `${stage.stage}.last_successful_run`, value: stage.lastSuccessfulRun, at }]),
    ])
    return [...this.#samples.values(), ...totals]
  }

  #ran(stage: StageMetrics, milliseconds: number, exported?: number): void {
    const seconds = milliseconds / 1000
    const bucket = BUCKETS.findIndex((bound) => seconds <= bound)
    const place = bucket === -1 ? BUCKETS.length : bucket
    stage.durations[place] = (stage.durations[place] ?? 0) + 1
    stage.durationSum += seconds
    this.duration(
      RUN_METRIC[stage.stage] ?? `${stage.stage}.item.duration_ms`,
      milliseconds - (exported ?? 0),
    )
    if (exported !== undefined) this.duration(EXPORT_METRIC, exported)
  }

  #of(stage: string): StageMetrics {
    const known = this.#stages.get(stage)
    if (known) return known
    const fresh: StageMetrics = {
      stage,
      attempted: 0,
      succeeded: 0,
      failed: 0,
      bytes: 0,
      lastSuccessfulRun: undefined,
      milliseconds: undefined,
      stopped: false,
      durations: Array.from({ length: BUCKETS.length + 1 }, () => 0),
      durationSum: 0,
    }
    this.#stages.set(stage, fresh)
    return fresh
  }
}
