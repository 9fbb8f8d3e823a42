import { readFile } from 'node:fs/promises'
import { replaceFile } from '../files.ts'
import type { StageName } from '../stages/stage.ts'
import { BUCKETS, type StageMetrics } from './pass-metrics.ts'

/** How a stage stands after a pass, from its state and its stores. What is not known is left out. */
export interface Standing {
  readonly stage: StageName
  readonly lastContiguousRun?: number | undefined
  readonly lastAttemptedRun?: number | undefined
  readonly sourceHighestRun?: number | undefined
  /** Runs that are on the source and neither archived nor failed. */
  readonly pending?: number | undefined
  /** Runs in the failure log. */
  readonly failed?: number | undefined
  /** Seconds since the oldest pending run was seen. */
  readonly oldestPendingSeconds?: number | undefined
}

/** A pass as the text file tells of it. Times in epoch milliseconds. */
export interface TextfileFacts {
  readonly task: string
  readonly version: string
  readonly startedAt: number
  readonly endedAt: number
  readonly exitCode: number
  readonly stages: readonly StageMetrics[]
  readonly standings: readonly Standing[]
  readonly ledgerFailures: number
  readonly spoolBytes: number
}

/** Earlier values of counters and of times, by name and labels, as they stand in the file. */
export type Earlier = ReadonlyMap<string, number>

/**
 * Metrics for node_exporter's textfile collector, under the names of spec/TRACKING.md section 8. Counters go on from `earlier`, and a
 * pass that did not succeed leaves the time of the last one that did: a dead archiver is seen by its age, not by silence.
 */
export const textfile = (facts: TextfileFacts, earlier: Earlier): string => {
  const { task, stages, standings } = facts
  const page = new Page(earlier)
  const labels = { task }
  page.gauge('last_start_timestamp_seconds', 'When the last pass began.', labels, facts.startedAt / 1000)
  page.gauge('last_end_timestamp_seconds', 'When the last pass ended.', labels, facts.endedAt / 1000)
  page.kept(
    'last_success_timestamp_seconds',
    'When a pass last ended with exit code 0.',
    labels,
    facts.exitCode === 0 ? facts.endedAt / 1000 : undefined,
  )
  page.gauge(
    'last_duration_seconds',
    'How long the last pass took.',
    labels,
    (facts.endedAt - facts.startedAt) / 1000,
  )
  page.gauge('last_exit_code', 'The exit code of the last pass.', labels, facts.exitCode)
  for (const stage of stages) {
    const of = { stage: stage.stage }
    const success = !stage.stopped && stage.failed === 0 && stage.milliseconds !== undefined
    page.kept(
      'stage_last_success_timestamp_seconds',
      'When a pass of the stage last ended without a failed run.',
      of,
      success ? facts.endedAt / 1000 : undefined,
    )
    if (stage.milliseconds !== undefined) {
      page.gauge(
        'stage_last_duration_seconds',
        'How long the last pass of the stage took.',
        of,
        stage.milliseconds / 1000,
      )
      page.gauge(
        'stage_last_rate_runs_per_second',
        'Runs attempted a second in the last pass of the stage.',
        of,
        stage.milliseconds === 0 ? 0 : stage.attempted / (stage.milliseconds / 1000),
      )
    }
    page.counter('runs_total', 'Runs attempted.', { ...of, result: 'ok' }, stage.succeeded)
    page.counter('runs_total', 'Runs attempted.', { ...of, result: 'failed' }, stage.failed)
    page.counter('bytes_total', 'Bytes archived.', of, stage.bytes)
    page.histogram('run_duration_seconds', 'How long a run took.', of, stage.durations, stage.durationSum)
  }
  for (const standing of standings) {
    const of = { stage: standing.stage }
    page.gauge(
      'last_contiguous_run',
      'The end of the unbroken series from the lowest run archived.',
      of,
      standing.lastContiguousRun,
    )
    page.gauge('last_attempted_run', 'The highest run attempted.', of, standing.lastAttemptedRun)
    page.gauge('source_highest_run', 'The highest run on the source.', of, standing.sourceHighestRun)
    page.gauge('backlog_runs', 'Runs neither archived nor failed.', of, standing.pending)
    page.gauge('failed_runs', 'Runs in the failure log.', of, standing.failed)
    page.gauge(
      'oldest_pending_seconds',
      'How long the oldest pending run has waited.',
      of,
      standing.oldestPendingSeconds,
    )
  }
  page.counter('tracking_failures_total', 'Times the ledger could not be written.', {}, facts.ledgerFailures)
  page.gauge('tracking_spool_bytes', 'Bytes that wait to be written to the ledger.', {}, facts.spoolBytes)
  page.gauge('build_info', 'The version, as a label.', { version: facts.version }, 1)
  return page.text()
}

/**
 * Writes the file for a pass, whatever the pass came to. A reader sees the old file or the new one, whole. Rejects with the system's
 * error.
 */
export const writeTextfile = async (path: string, facts: TextfileFacts): Promise<void> => {
  const before = await readFile(path, 'utf8').catch(() => '')
  // The collector runs as somebody else.
  await replaceFile(path, textfile(facts, valuesOf(before)), { mode: 0o644 })
}

/** The values of a file that `textfile` made. */
export const valuesOf = (text: string): Earlier =>
  new Map(
    text.split('\n').flatMap((line) => {
      const [, name = '', value = ''] = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? []
      return name === '' || !Number.isFinite(Number(value)) ? [] : [[name, Number(value)] as const]
    }),
  )

type Labels = Readonly<Record<string, string>>

class Page {
  readonly #earlier: Earlier
  readonly #families = new Map<string, { head: string; series: Map<string, number> }>()

  constructor(earlier: Earlier) {
    this.#earlier = earlier
  }

  gauge(name: string, help: string, labels: Labels, value: number | undefined): void {
    if (value !== undefined) this.#put(name, 'gauge', help, seriesOf(name, labels), value)
  }

  /** A gauge that keeps its earlier value when there is no new one. */
  kept(name: string, help: string, labels: Labels, value: number | undefined): void {
    this.gauge(name, help, labels, value ?? this.#earlier.get(seriesOf(name, labels)))
  }

  counter(name: string, help: string, labels: Labels, more: number): void {
    const series = seriesOf(name, labels)
    this.#put(name, 'counter', help, series, (this.#earlier.get(series) ?? 0) + more)
  }

  histogram(name: string, help: string, labels: Labels, counts: readonly number[], sum: number): void {
    let total = 0
    counts.forEach((count, i) => {
      total += count
      const series = seriesOf(`${name}_bucket`, { ...labels, le: String(BUCKETS[i] ?? '+Inf') })
      this.#put(name, 'histogram', help, series, (this.#earlier.get(series) ?? 0) + total)
    })
    for (const [tail, more] of [
      ['_sum', sum],
      ['_count', total],
    ] as const) {
      const series = seriesOf(name + tail, labels)
      this.#put(name, 'histogram', help, series, (this.#earlier.get(series) ?? 0) + more)
    }
  }

  /** Series that only earlier passes had (another task, a stage that was left out) stay as they were. */
  text(): string {
    for (const [series, value] of this.#earlier) {
      const family = this.#families.get(familyOf(series))
      if (family && !family.series.has(series) && !series.startsWith('archiver_build_info'))
        family.series.set(series, value)
    }
    return [...this.#families.values()]
      .map(({ head, series }) => head + [...series].map(([name, value]) => `${name} ${value}\n`).join(''))
      .join('')
  }

  #put(name: string, type: string, help: string, series: string, value: number): void {
    const full = `archiver_${name}`
    const family = this.#families.get(full) ?? {
      head: `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n`,
      series: new Map<string, number>(),
    }
    this.#families.set(full, family)
    family.series.set(series, value)
  }
}

const seriesOf = (name: string, labels: Labels): string => {
  const inside = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value)}"`)
  return `archiver_${name}${inside.length === 0 ? '' : `{${inside.join(',')}}`}`
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const familyOf = (series: string): string => series.replace(/\{.*$/, '').replace(/_(bucket|sum|count)$/, '')
