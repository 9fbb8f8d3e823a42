import { readFile } from 'node:fs/promises'
import { replaceFile } from '../../platform/atomic-file.ts'
import { BUCKETS, type StageMetrics } from './pass-metrics.ts'

/** How a stage stands after a pass, from its state and its stores. What is not known is left out. */
export interface Standing {
  readonly stage: string
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

/** A pass as the text file shows it. Times in epoch milliseconds. */
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
  /** Of this process; undefined where the system does not say. */
  readonly peakMemoryBytes: number
  readonly openDescriptors: number | undefined
}

/** Every family of metrics, in the order of the page: its type and its help text. */
export const FAMILIES = {
  last_start_timestamp_seconds: ['gauge', 'When the last pass began.'],
  last_end_timestamp_seconds: ['gauge', 'When the last pass ended.'],
  last_success_timestamp_seconds: ['gauge', 'When a pass last ended with exit code 0.'],
  last_duration_seconds: ['gauge', 'How long the last pass took.'],
  last_exit_code: ['gauge', 'The exit code of the last pass.'],
  stage_last_success_timestamp_seconds: [
    'gauge',
    'When a pass of the stage last ended without a failed run.',
  ],
  stage_last_duration_seconds: ['gauge', 'How long the last pass of the stage took.'],
  stage_last_rate_runs_per_second: ['gauge', 'Runs attempted a second in the last pass of the stage.'],
  runs_total: ['counter', 'Runs attempted.'],
  bytes_total: ['counter', 'Bytes archived.'],
  run_duration_seconds: ['histogram', 'How long a run took.'],
  last_contiguous_run: ['gauge', 'The end of the unbroken series from the lowest run archived.'],
  last_attempted_run: ['gauge', 'The highest run attempted.'],
  source_highest_run: ['gauge', 'The highest run on the source.'],
  backlog_runs: ['gauge', 'Runs neither archived nor failed.'],
  failed_runs: ['gauge', 'Runs in the failure log.'],
  oldest_pending_seconds: ['gauge', 'How long the oldest pending run has waited.'],
  tracking_failures_total: ['counter', 'Times the ledger could not be written.'],
  tracking_spool_bytes: ['gauge', 'Bytes that wait to be written to the ledger.'],
  peak_memory_bytes: ['gauge', 'The most memory that the process of the last pass held.'],
  open_descriptors: ['gauge', 'Files and sockets that the process of the last pass held open at its end.'],
  build_info: ['gauge', 'The version, as a label.'],
} as const satisfies Record<string, readonly [type: 'gauge' | 'counter' | 'histogram', help: string]>

type Family = keyof typeof FAMILIES

/** Earlier values of counters and of times, by name and labels, as they stand in the file. */
export type Earlier = ReadonlyMap<string, number>

/**
 * Metrics for node_exporter's textfile collector; docs/monitoring names them all. Counters go on from `earlier`, and a
 * pass that did not succeed leaves the time of the last one that did: a dead archiver is seen by its age, not by silence.
 */
export const textfile = (facts: TextfileFacts, earlier: Earlier): string => {
  const { task, stages, standings } = facts
  const page = new Page(earlier)
  const labels = { task }
  page.gauge('last_start_timestamp_seconds', labels, facts.startedAt / 1000)
  page.gauge('last_end_timestamp_seconds', labels, facts.endedAt / 1000)
  page.gauge(
    'last_success_timestamp_seconds',
    labels,
    facts.exitCode === 0 ? facts.endedAt / 1000 : undefined,
  )
  page.gauge('last_duration_seconds', labels, (facts.endedAt - facts.startedAt) / 1000)
  page.gauge('last_exit_code', labels, facts.exitCode)
  for (const stage of stages) {
    const of = { stage: stage.stage }
    const success = !stage.stopped && stage.failed === 0 && stage.milliseconds !== undefined
    page.gauge('stage_last_success_timestamp_seconds', of, success ? facts.endedAt / 1000 : undefined)
    if (stage.milliseconds !== undefined) {
      page.gauge('stage_last_duration_seconds', of, stage.milliseconds / 1000)
      page.gauge(
        'stage_last_rate_runs_per_second',
        of,
        stage.milliseconds === 0 ? 0 : stage.attempted / (stage.milliseconds / 1000),
      )
    }
    page.counter('runs_total', { ...of, result: 'ok' }, stage.succeeded)
    page.counter('runs_total', { ...of, result: 'failed' }, stage.failed)
    page.counter('bytes_total', of, stage.bytes)
    page.histogram('run_duration_seconds', of, stage.durations, stage.durationSum)
  }
  for (const standing of standings) {
    const of = { stage: standing.stage }
    page.gauge('last_contiguous_run', of, standing.lastContiguousRun)
    page.gauge('last_attempted_run', of, standing.lastAttemptedRun)
    page.gauge('source_highest_run', of, standing.sourceHighestRun)
    page.gauge('backlog_runs', of, standing.pending)
    page.gauge('failed_runs', of, standing.failed)
    // With no pending run there is none that waits; left out, the earlier one would stay.
    const oldest = standing.pending === 0 ? 0 : standing.oldestPendingSeconds
    page.gauge('oldest_pending_seconds', of, oldest)
  }
  page.counter('tracking_failures_total', {}, facts.ledgerFailures)
  page.gauge('tracking_spool_bytes', {}, facts.spoolBytes)
  page.gauge('peak_memory_bytes', labels, facts.peakMemoryBytes)
  page.gauge('open_descriptors', labels, facts.openDescriptors)
  page.gauge('build_info', { version: facts.version }, 1)
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
  readonly #series = new Map<string, number>()

  constructor(earlier: Earlier) {
    this.#earlier = earlier
  }

  gauge(name: Family, labels: Labels, value: number | undefined): void {
    if (value !== undefined) this.#series.set(seriesOf(name, labels), value)
  }

  counter(name: Family, labels: Labels, more: number): void {
    this.#add(seriesOf(name, labels), more)
  }

  histogram(name: Family, labels: Labels, counts: readonly number[], sum: number): void {
    let total = 0
    counts.forEach((count, i) => {
      total += count
      this.#add(seriesOf(`${name}_bucket`, { ...labels, le: String(BUCKETS[i] ?? '+Inf') }), total)
    })
    this.#add(seriesOf(`${name}_sum`, labels), sum)
    this.#add(seriesOf(`${name}_count`, labels), total)
  }

  /** What only earlier passes had (another task, a stage that was left out, a stage that never began) stays as it was. */
  text(): string {
    const kept = [...this.#earlier].filter(
      ([series]) => !this.#series.has(series) && familyOf(series) !== 'archiver_build_info',
    )
    const families = new Map<string, string[]>()
    for (const [series, value] of [...this.#series, ...kept]) {
      const family = familyOf(series)
      families.set(family, [...(families.get(family) ?? []), `${series} ${value}\n`])
    }
    return Object.entries(FAMILIES)
      .map(([name, [type, help]]) => {
        const full = `archiver_${name}`
        const lines = families.get(full)
        return lines ? `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('')}` : ''
      })
      .join('')
  }

  #add(series: string, more: number): void {
    this.#series.set(series, (this.#earlier.get(series) ?? 0) + more)
  }
}

const seriesOf = (name: string, labels: Labels): string => {
  const inside = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value)}"`)
  return `archiver_${name}${inside.length === 0 ? '' : `{${inside.join(',')}}`}`
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const familyOf = (series: string): string => series.replace(/\{.*$/, '').replace(/_(bucket|sum|count)$/, '')
