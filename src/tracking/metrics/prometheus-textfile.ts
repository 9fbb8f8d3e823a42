import { readText } from '../../platform/read-file.ts'
import { replaceFile } from '../../platform/atomic-file.ts'
import { FAMILIES, type Family } from './families.ts'
import { BUCKETS, type StageMetrics } from './pass-metrics.ts'
import type { TaskMetrics } from './task-metrics.ts'

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

/** Archived runs by when their copies were compared last. */
export interface ProofCounts {
  readonly compared: number
  readonly notCompared: number
  readonly damaged: number
  /** The longest ago that one of them was compared, epoch milliseconds; undefined where none was. */
  readonly oldestAt: number | undefined
}

/** The series of a proof: in the text file, and in what `serve` gives. */
export const proofSeries = ({ compared, notCompared, damaged, oldestAt }: ProofCounts) =>
  [
    ['compared_runs', compared],
    ['not_compared_runs', notCompared],
    ['damaged_runs', damaged],
    ['oldest_comparison_timestamp_seconds', oldestAt === undefined ? undefined : oldestAt / 1000],
  ] as const

/** A pass as the text file shows it. Times in epoch milliseconds. */
export interface TextfileFacts {
  readonly task: string
  readonly version: string
  /** The commit that the program was built from; left out where that is not known. */
  readonly commit?: string | undefined
  readonly startedAt: number
  readonly endedAt: number
  /** Undefined while it goes on. */
  readonly exitCode: number | undefined
  readonly stages: readonly StageMetrics[]
  readonly standings: readonly Standing[]
  /** What the scrub knows; undefined where this pass does not say. */
  readonly proof?: ProofCounts | undefined
  readonly ledgerFailures: number
  readonly spoolBytes: number
  /** What a task counts that is no pass over runs. Its file stands beside the archiver's, so each of its series names the task. */
  readonly counted?: TaskMetrics | undefined
  readonly backlog?: TaskMetrics['series']
  /** Of this process; undefined where the system does not say. */
  readonly peakMemoryBytes: number
  readonly openDescriptors: number | undefined
}

/** Earlier values of counters and of times, by name and labels, as they stand in the file. */
export type Earlier = ReadonlyMap<string, number>

/**
 * Metrics for node_exporter's textfile collector; docs/monitoring names them all. Counters go on from `earlier`, and a
 * pass that did not succeed leaves the time of the last one that did: a dead archiver is seen by its age, not by silence.
 */
export const textfile = (facts: TextfileFacts, earlier: Earlier): string =>
  pageOf(facts, earlier, new Map()).text()

const pageOf = (facts: TextfileFacts, earlier: Earlier, published: Earlier): Page => {
  const { task, stages, standings } = facts
  const page = new Page(earlier, published)
  const labels = { task }
  page.gauge('last_start_timestamp_seconds', labels, facts.startedAt / 1000)
  if (facts.exitCode !== undefined) {
    page.gauge('last_end_timestamp_seconds', labels, facts.endedAt / 1000)
    page.gauge(
      'last_success_timestamp_seconds',
      labels,
      facts.exitCode === 0 ? facts.endedAt / 1000 : undefined,
    )
    page.gauge('last_duration_seconds', labels, (facts.endedAt - facts.startedAt) / 1000)
    page.gauge('last_exit_code', labels, facts.exitCode)
  }
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
  for (const [family, value] of facts.proof ? proofSeries(facts.proof) : []) page.gauge(family, {}, value)
  // Of a series that two files hold node_exporter drops one, and logs an error at each scrape.
  const own = facts.counted ? labels : {}
  page.counter('tracking_failures_total', own, facts.ledgerFailures)
  page.gauge('tracking_spool_bytes', own, facts.spoolBytes)
  page.gauge('peak_memory_bytes', labels, facts.peakMemoryBytes)
  page.gauge('open_descriptors', labels, facts.openDescriptors)
  for (const { family, labels: of, value, isCounter } of [
    ...(facts.counted?.series ?? []),
    ...(facts.backlog ?? []),
  ])
    if (isCounter) page.counter(family, of, value)
    else page.gauge(family, of, value)
  page.gauge('build_info', { version: facts.version, commit: facts.commit ?? '', ...own }, 1)
  return page
}

/**
 * The file of one execution, which may write it several times. A reader sees the old file or the new one, whole. Counters grow by what was not
 * published yet, so that executions at the same time add up.
 */
export class Textfile {
  readonly #path: string
  #published: Earlier = new Map()

  constructor(path: string) {
    this.#path = path
  }

  /** Rejects with the system's error; what was not written is in the next write. */
  async write(facts: TextfileFacts): Promise<void> {
    const before = valuesOf(await readText(this.#path).catch(() => ''))
    const page = pageOf(facts, before, this.#published)
    // The collector runs as somebody else.
    await replaceFile(this.#path, page.text(), { mode: 0o644 })
    this.#published = page.counted
  }
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
  readonly #published: Earlier
  readonly #series = new Map<string, number>()
  /** What this execution has counted in all. */
  readonly counted = new Map<string, number>()

  constructor(earlier: Earlier, published: Earlier) {
    this.#earlier = earlier
    this.#published = published
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
    const unpublished = more - (this.#published.get(series) ?? 0)
    this.#series.set(series, (this.#earlier.get(series) ?? 0) + unpublished)
    this.counted.set(series, more)
  }
}

const seriesOf = (name: string, labels: Labels): string => {
  const inside = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value)}"`)
  return `archiver_${name}${inside.length === 0 ? '' : `{${inside.join(',')}}`}`
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const familyOf = (series: string): string => series.replace(/\{.*$/, '').replace(/_(bucket|sum|count)$/, '')
