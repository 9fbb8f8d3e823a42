import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { ALERT_RULES } from '../../../src/common/alert-rules.ts'
import { FAMILIES } from '../../../src/tracking/metrics/families.ts'
import { textfile } from '../../../src/tracking/metrics/prometheus-textfile.ts'
import { TaskMetrics } from '../../../src/tracking/metrics/task-metrics.ts'
import { SERVED_FAMILIES, servedMetrics } from '../../../src/tracking/metrics/served-metrics.ts'

const FOLDER = 'docs/monitoring'
const textOf = (name: string): string => readFileSync(`${FOLDER}/${name}`, 'utf8')

const known = new Set(
  Object.entries({ ...FAMILIES, ...SERVED_FAMILIES }).flatMap(([name, [type]]) =>
    type === 'histogram'
      ? ['_bucket', '_sum', '_count'].map((tail) => `archiver_${name}${tail}`)
      : [`archiver_${name}`],
  ),
)
const expressions = {
  'alert-rules.yml': (
    parse(textOf('alert-rules.yml')) as { groups: { rules: { expr: string }[] }[] }
  ).groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
  'dashboard.json': (
    JSON.parse(textOf('dashboard.json')) as { panels: { targets: { expr: string }[] }[] }
  ).panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
}
/** The metrics that monitoring is promised, with the labels of each. */
const PROMISED =
  `last_start_timestamp_seconds last_success_timestamp_seconds last_duration_seconds last_exit_code execution_running
  executions_total last_contiguous_run last_attempted_run source_highest_run backlog_runs failed_runs compared_runs
  not_compared_runs damaged_runs oldest_comparison_timestamp_seconds runs_total bytes_total
  run_duration_seconds rows_total row_conflicts throttled_seconds_total replica_lag_seconds history_list_length records_total
  record_rows_total instances claims claims_fenced_total claims_recovered_total tracking_failures_total tracking_spool_bytes
  build_info`.split(/\s+/)

it('no metric that monitoring is promised is missing, and the guide names each of rows, records and the backlog', () => {
  expect(Object.keys({ ...FAMILIES, ...SERVED_FAMILIES })).toEqual(expect.arrayContaining(PROMISED))
  const guide = textOf('README.md')
  const late = PROMISED.slice(PROMISED.indexOf('rows_total'), PROMISED.indexOf('tracking_failures_total'))
  for (const name of late) expect(guide).toContain(`\`archiver_${name}`)
})

const unknownIn = (expression: string): string[] =>
  (expression.match(/\barchiver_[a-z_]+/g) ?? []).filter((name) => !known.has(name))

describe.each(Object.entries(expressions))('docs/monitoring/%s', (_name, all) => {
  it('asks for metrics that exist, in every expression', () => {
    expect(all.length).toBeGreaterThan(5)
    for (const expression of all) {
      expect(expression).toMatch(/archiver_/)
      expect(unknownIn(expression)).toEqual([])
    }
  })
  it('would not pass with a name that does not exist (control)', () => {
    expect(unknownIn('archiver_last_succes_timestamp_seconds > 1')).not.toEqual([])
  })
})

const promtool = spawnSync('promtool', ['--version']).status === 0
if (!promtool) console.warn('SKIPPED: promtool is not installed, so it does not check the Prometheus rules')
it.skipIf(!promtool)('the Prometheus rules pass promtool', () => {
  const { status, stderr } = spawnSync('promtool', ['check', 'rules', `${FOLDER}/alert-rules.yml`], {
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
})

const SERVED = {
  tasks: [
    {
      ...{ task: 'a "task"\n', startedAt: 1000, endedAt: 3000, succeededAt: undefined },
      ...{ took: 2000, exitCode: 1, running: 0 },
    },
  ],
  executions: [{ task: 'DAILY_01', status: 'ok', count: 7 }],
  alerts: [{ rule: 'hung', count: 1 }],
  proof: { compared: 7, notCompared: 2, damaged: 1, oldestAt: 86_400_000 },
  standings: [{ stage: 'import', lastContiguousRun: 5, lastAttemptedRun: 9, pending: 2, failed: 1 }],
  instances: { running: 2 },
  claims: { claimed: 3 },
  claimed: 6,
  rate: 0.5,
  fenced: 4,
  recovered: 5,
  spoolBytes: 10,
  ledgerUp: true,
  version: '1',
  commit: 'c',
  textfiles: [
    '# HELP archiver_failed_runs old\n# TYPE archiver_failed_runs gauge\narchiver_failed_runs{stage="import"} 99\n# HELP archiver_runs_total Runs attempted.\n# TYPE archiver_runs_total counter\narchiver_runs_total{stage="import",result="ok"} 8\n',
    '# HELP archiver_runs_total Runs attempted.\n# TYPE archiver_runs_total counter\narchiver_runs_total{stage="records:orders",result="ok"} 3\n# HELP archiver_replica_lag_seconds Lag.\n# TYPE archiver_replica_lag_seconds gauge\narchiver_replica_lag_seconds{replica="r1:3306"} NaN\n',
    '# HELP archiver_cut short',
  ],
}

describe('the text of /metrics', () => {
  it('has each family once, with what passes alone count from their file', async () => {
    const text = await servedMetrics(SERVED)
    expect(text).toContain('archiver_executions_total{task="DAILY_01",status="ok"} 7')
    expect(text).toContain('archiver_runs_total{stage="import",result="ok"} 8')
    expect(text).toContain('archiver_runs_total{stage="records:orders",result="ok"} 3')
    expect(text).toContain('archiver_replica_lag_seconds{replica="r1:3306"} NaN')
    expect(text).toContain('archiver_damaged_runs 1\n')
    expect(text).toContain('archiver_oldest_comparison_timestamp_seconds 86400\n')
    expect(text).toContain('archiver_failed_runs{stage="import"} 1\n')
    expect(text).not.toContain('archiver_cut')
    expect(text).not.toContain(' 99')
    expect(text).not.toContain('archiver_last_success')
    const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
    expect(new Set(types).size).toBe(types.length)
    for (const name of types) expect(known.has(name ?? '')).toBe(true)
  })
  it('has a pass with nothing to do, which is in its text file alone, and keeps what the ledger has newer', async () => {
    const pass = (task: string, at: number, success = at): string =>
      [
        ['start_timestamp_seconds', at - 1],
        ['end_timestamp_seconds', at],
        ['success_timestamp_seconds', success],
        ['duration_seconds', 1],
        ['exit_code', success === at ? 0 : 1],
      ]
        .map(
          ([name, value]) =>
            `# HELP archiver_last_${name} x\n# TYPE archiver_last_${name} gauge\narchiver_last_${name}{task="${task}"} ${value}\n`,
        )
        .join('')
    const ofLedger = {
      endedAt: 3000,
      succeededAt: 3000,
      took: 2000,
      exitCode: 0,
      running: 0,
      startedAt: 1000,
    }
    const tasks = ['incremental', 'retry-failed-import'].map((task) => ({ task, ...ofLedger }))
    const textfiles = [pass('incremental', 900.5), pass('retry-failed-import', 2), pass('a \\"b\\"', 7, 5)]
    const text = await servedMetrics({ ...SERVED, tasks, textfiles })
    const series = text.match(/^archiver_(?:last_|execution_running).*/gm)!
    expect(series.filter((line) => line.includes('success'))).toEqual([
      'archiver_last_success_timestamp_seconds{task="incremental"} 900.5',
      'archiver_last_success_timestamp_seconds{task="retry-failed-import"} 3',
      'archiver_last_success_timestamp_seconds{task="a \\"b\\""} 5',
    ])
    expect(series).toContain('archiver_last_exit_code{task="a \\"b\\""} 1')
    expect(series).toContain('archiver_last_end_timestamp_seconds{task="incremental"} 900.5')
    expect(series.filter((line) => line.includes('running'))).toHaveLength(2)
  })
  it.skipIf(!promtool)('passes promtool', async () => {
    const input = await servedMetrics(SERVED)
    const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { encoding: 'utf8', input })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    // Control: promtool refuses a family without a name.
    expect(spawnSync('promtool', ['check', 'metrics'], { input: `${input}{} 1\n` }).status).not.toBe(0)
  })
})

it.skipIf(!promtool)('the text file of a task passes promtool, with a replica that does not answer', () => {
  const counted = new TaskMetrics()
  counted.add('rows_total', { table: 't', outcome: 'moved' }, 5)
  counted.add('throttled_seconds_total', { table: 't', reason: 'load' }, 1.5)
  counted.set('replica_lag_seconds', { replica: 'r1:3306' }, NaN)
  counted.set('history_list_length', { table: 't' }, 5)
  counted.set('row_conflicts', { table: 't' }, 0)
  counted.add('records_total', { task: 't', outcome: 'stored' }, 1)
  counted.add('record_rows_total', { task: 't' }, 1)
  counted.set('instances', { state: 'lost' }, 1)
  counted.set('claims_fenced_total', {}, 1)
  const input = textfile(
    {
      ...{ task: 'rows', version: '1', startedAt: 0, endedAt: 1, exitCode: 0, stages: [], standings: [] },
      ...{ counted, ledgerFailures: 0, spoolBytes: 0, peakMemoryBytes: 1, openDescriptors: 2 },
    },
    new Map(),
  )
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { encoding: 'utf8', input })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

it('the monitoring guide names every alert rule, and no other', () => {
  const named = [...textOf('README.md').matchAll(/^\| `(?!archiver_)([a-z_]+)` \|/gm)].map(([, rule]) => rule)
  expect(named).toEqual(Object.keys(ALERT_RULES))
})
