import { Counter, Gauge, Registry } from 'prom-client'
import { FAMILIES } from './families.ts'
import { type ProofCounts, proofSeries, type Standing } from './prometheus-textfile.ts'
import { newestTasks, type TaskMetric } from './textfile-tasks.ts'

/** What `serve` knows when it is asked. What is not configured, or away, is left out. */
export interface ServedFacts {
  readonly tasks: readonly TaskMetric[]
  readonly executions: readonly { readonly task: string; readonly status: string; readonly count: number }[]
  readonly alerts: readonly { readonly rule: string; readonly count: number }[]
  readonly standings: readonly Standing[]
  readonly proof?: ProofCounts | undefined
  readonly instances: Readonly<Record<string, number>>
  readonly claims: Readonly<Record<string, number>>
  /** Claims that instances were given. */
  readonly claimed: number | undefined
  readonly fenced: number | undefined
  readonly recovered: number | undefined
  /** Items a second that all instances end. */
  readonly rate: number | undefined
  readonly spoolBytes: number
  readonly ledgerUp: boolean
  readonly version: string
  readonly commit: string
  /** The text files of passes and tasks, for what only they can count. */
  readonly textfiles: readonly string[]
}

/** Families that only `serve` has. Those that it shares with the text file have the names and meanings that they have there. */
export const SERVED_FAMILIES = {
  execution_running: ['gauge', 'Executions of the task that run now.'],
  executions_total: ['counter', 'Executions that ended, by how they ended.'],
  alerts_firing: ['gauge', 'Alerts that fire now, silenced ones included.'],
  ledger_up: ['gauge', 'Whether the ledger answered.'],
} as const satisfies typeof FAMILIES | Record<string, readonly ['gauge' | 'counter', string]>

type Family = keyof typeof FAMILIES | keyof typeof SERVED_FAMILIES
type Labels = Readonly<Record<string, string>>

/** The text of `/metrics`. Counts come from the ledger, so that a restart of the service starts none anew. */
export const servedMetrics = async (facts: ServedFacts): Promise<string> => {
  const registry = new Registry()
  const put = putter(registry)
  for (const { task, startedAt, endedAt, succeededAt, took, exitCode, running } of newestTasks(
    facts.tasks,
    facts.textfiles,
  )) {
    const of = { task }
    put('last_start_timestamp_seconds', of, startedAt / 1000)
    put('last_end_timestamp_seconds', of, seconds(endedAt))
    put('last_success_timestamp_seconds', of, seconds(succeededAt))
    put('last_duration_seconds', of, seconds(took))
    put('last_exit_code', of, exitCode)
    put('execution_running', of, running)
  }
  for (const { task, status, count } of facts.executions) put('executions_total', { task, status }, count)
  for (const { rule, count } of facts.alerts) put('alerts_firing', { rule }, count)
  for (const standing of facts.standings) {
    const of = { stage: standing.stage }
    put('last_contiguous_run', of, standing.lastContiguousRun)
    put('last_attempted_run', of, standing.lastAttemptedRun)
    put('source_highest_run', of, standing.sourceHighestRun)
    put('backlog_runs', of, standing.pending)
    put('failed_runs', of, standing.failed)
  }
  for (const [family, value] of facts.proof ? proofSeries(facts.proof) : []) put(family, {}, value)
  for (const [state, count] of Object.entries(facts.instances)) put('instances', { state }, count)
  for (const [state, count] of Object.entries(facts.claims)) put('claims', { state }, count)
  put('claims_total', {}, facts.claimed)
  put('claims_fenced_total', {}, facts.fenced)
  put('claims_recovered_total', {}, facts.recovered)
  put('backlog_rate_items_per_second', {}, facts.rate)
  put('tracking_spool_bytes', {}, facts.spoolBytes)
  put('ledger_up', {}, facts.ledgerUp ? 1 : 0)
  put('build_info', { version: facts.version, commit: facts.commit }, 1)
  const text = await registry.metrics()
  return text + fromTextfiles(facts.textfiles, text)
}

const seconds = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : milliseconds / 1000

const putter = (registry: Registry) => {
  const made = new Map<Family, Gauge | Counter>()
  const make = (family: Family, labels: Labels): Gauge | Counter => {
    const known = made.get(family)
    if (known) return known
    const [type, help] = { ...FAMILIES, ...SERVED_FAMILIES }[family]
    const options = {
      name: `archiver_${family}`,
      help,
      labelNames: Object.keys(labels),
      registers: [registry],
    }
    const metric = type === 'counter' ? new Counter(options) : new Gauge(options)
    made.set(family, metric)
    return metric
  }
  return (family: Family, labels: Labels, value: number | undefined): void => {
    if (value !== undefined && Number.isFinite(value)) make(family, labels).inc(labels, value)
  }
}

/** Families of the text files that are not in `text` already, each once, with the series of every file. */
const fromTextfiles = (textfiles: readonly string[], text: string): string => {
  const families = new Map<string, { readonly head: string; readonly lines: Set<string> }>()
  for (const block of textfiles.flatMap((file) => file.split(/^(?=# HELP )/m))) {
    const [, head = '', name = '', rest = ''] =
      /^(# HELP (archiver_\w+) .*\n# TYPE .*\n)([^]*\n)$/.exec(block) ?? []
    if (head === '' || text.includes(`# TYPE ${name} `)) continue
    const family = families.get(name) ?? { head, lines: new Set() }
    families.set(name, family)
    for (const line of rest.split('\n')) if (line !== '') family.lines.add(line)
  }
  return [...families.values()].map(({ head, lines }) => `${head}${[...lines].join('\n')}\n`).join('')
}
