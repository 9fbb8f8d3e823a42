import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'

const { groups } = parse(readFileSync('docs/monitoring/alert-rules.yml', 'utf8')) as {
  groups: { name: string; rules: { alert: string; labels: Record<string, string> }[] }[]
}
const rules = groups.flatMap((group) => group.rules)

interface Series {
  readonly series: string
  readonly values: string
}
type Labels = Readonly<Record<string, string>>

/** What Prometheus has collected for three days, and what fires then. */
interface Case {
  readonly what: string
  readonly series: readonly Series[]
  /** Rules by name, with the labels of their alerts beside the severity. Every other rule is silent. */
  readonly fires: Readonly<Record<string, Labels>>
}

/** Five minutes each: three days, at whose end every rule is asked. */
const STEPS = 864
const END = STEPS * 300
const DAY = 86_400

const series = (name: string, labels: Labels, values: string): Series => ({
  series: `archiver_${name}{${Object.entries({ instance: 'a', ...labels })
    .map(([key, value]) => `${key}="${value}"`)
    .join(',')}}`,
  values,
})
/** The same value all the time. */
const steady = (name: string, labels: Labels, value: number): Series =>
  series(name, labels, `${value}x${STEPS}`)

/** A task that ends every five minutes. */
const goesOn = (task: string, code = 0): readonly Series[] => [
  series('last_start_timestamp_seconds', { task }, `-10+300x${STEPS}`),
  series('last_end_timestamp_seconds', { task }, `0+300x${STEPS}`),
  ...(code === 0 ? [series('last_success_timestamp_seconds', { task }, `0+300x${STEPS}`)] : []),
  steady('last_exit_code', { task }, code),
]
/** A task that ran once. */
const once = (task: string, code: number, at = 60): readonly Series[] => [
  steady('last_start_timestamp_seconds', { task }, at - 10),
  steady('last_end_timestamp_seconds', { task }, at),
  ...(code === 0 ? [steady('last_success_timestamp_seconds', { task }, at)] : []),
  steady('last_exit_code', { task }, code),
]
const alive = goesOn('incremental')
const INCREMENTAL = { task: 'incremental' }
const IMPORT = { stage: 'import' }
const at = (labels: Labels = {}): Labels => ({ instance: 'a', ...labels })
/** A rule that compares one series: a case in which it fires, and one just beside it. */
const around = (
  rule: string,
  make: (value: number) => readonly Series[],
  { fires, silent, labels }: { readonly fires: number; readonly silent: number; readonly labels?: Labels },
): readonly Case[] => [
  { what: `${rule} at ${fires}`, series: [...alive, ...make(fires)], fires: { [rule]: at(labels) } },
  { what: `no ${rule} at ${silent}`, series: [...alive, ...make(silent)], fires: {} },
]

const CASES: readonly Case[] = [
  { what: 'nothing on a site that works', series: alive, fires: {} },
  { what: 'nothing of a pass by hand', series: [...alive, ...once('full', 0)], fires: {} },
  { what: 'nothing of a pass by hand that failed', series: [...alive, ...once('full', 1)], fires: {} },
  { what: 'nothing of a yearly task', series: [...alive, ...once('ANNUAL_DEC_01', 0)], fires: {} },
  {
    what: 'ArchiverNoSuccess where nothing has succeeded for a day, although a pipeline goes on',
    series: [...once('incremental', 0, END - DAY - 900), ...goesOn('DAILY_01')],
    fires: { ArchiverNoSuccess: at() },
  },
  {
    what: 'no ArchiverNoSuccess within the day',
    series: [...once('incremental', 0, END - DAY + 60), ...goesOn('DAILY_01')],
    fires: {},
  },
  ...around(
    'ArchiverSuccessInTheFuture',
    (ahead) => [series('last_success_timestamp_seconds', { task: 'full' }, `${ahead}+300x${STEPS}`)],
    { fires: 660, silent: 600, labels: { task: 'full' } },
  ),
  { what: 'ArchiverSilent where nobody reports', series: [], fires: { ArchiverSilent: {} } },
  { what: 'no ArchiverSilent of what ended long ago', series: once('full', 0, END - DAY), fires: {} },
  ...around('ArchiverLastPassFailed', (ended) => once('full', 1, ended), {
    ...{ fires: END - 129_300, silent: END - 129_600, labels: { task: 'full' } },
  }),
  {
    what: 'ArchiverLastPassFailed of a pass that fails each time, beside one that goes well',
    series: [...alive, ...goesOn('migrate-only incremental', 1)],
    fires: { ArchiverLastPassFailed: at({ task: 'migrate-only incremental' }) },
  },
  ...around('ArchiverFailedRuns', (runs) => [steady('failed_runs', IMPORT, runs)], {
    ...{ fires: 51, silent: 50, labels: IMPORT },
  }),
  ...around('ArchiverDamagedRuns', (runs) => [steady('damaged_runs', {}, runs)], { fires: 1, silent: 0 }),
  // For a day before it fires.
  ...around(
    'ArchiverScrubRoundTooLong',
    (when) => [steady('oldest_comparison_timestamp_seconds', {}, when)],
    {
      ...{ fires: END - DAY - 31_622_700, silent: END - DAY - 31_622_100 },
    },
  ),
  ...around(
    'ArchiverFarAhead',
    (ahead) => [
      steady('last_contiguous_run', IMPORT, 5000),
      steady('last_attempted_run', IMPORT, 5000 + ahead),
    ],
    { fires: 1001, silent: 1000, labels: IMPORT },
  ),
  ...around('ArchiverOldestPending', (age) => [steady('oldest_pending_seconds', IMPORT, age)], {
    ...{ fires: 172_801, silent: 172_800, labels: IMPORT },
  }),
  ...around(
    'ArchiverBacklogGrows',
    (more) => [series('backlog_runs', IMPORT, `200${more < 0 ? '' : '+'}${more}x${STEPS}`)],
    { fires: 0.1, silent: 0, labels: IMPORT },
  ),
  {
    what: 'no ArchiverBacklogGrows of a hundred runs',
    series: [...alive, series('backlog_runs', IMPORT, `13.6+0.1x${STEPS}`)],
    fires: {},
  },
  ...around('ArchiverMemoryGrows', (bytes) => [steady('peak_memory_bytes', INCREMENTAL, bytes)], {
    ...{ fires: 1_500_000_001, silent: 1.5e9, labels: INCREMENTAL },
  }),
  ...around('ArchiverDescriptorsLeak', (open) => [steady('open_descriptors', INCREMENTAL, open)], {
    ...{ fires: 501, silent: 500, labels: INCREMENTAL },
  }),
  ...around('ArchiverLedgerBehind', (bytes) => [steady('tracking_spool_bytes', {}, bytes)], {
    ...{ fires: 1_048_577, silent: 1_048_576 },
  }),
  ...(
    [
      ['ArchiverMemoryGrows', 'peak_memory_bytes', 2e9],
      ['ArchiverDescriptorsLeak', 'open_descriptors', 900],
      ['ArchiverLedgerBehind', 'tracking_spool_bytes', 2e6],
    ] as const
  ).flatMap(([rule, name, value]): Case[] => {
    const labels = { task: 'rows' }
    const large = steady(name, labels, value)
    const began = steady('last_start_timestamp_seconds', labels, END - 2 * DAY)
    return [
      {
        what: `${rule} of a task that was started by hand a day and a half ago`,
        series: [...alive, ...once('rows', 0, END - 129_600), large],
        fires: { [rule]: at(labels) },
      },
      {
        what: `no ${rule} of it after that`,
        series: [...alive, ...once('rows', 0, END - 129_900), large],
        fires: {},
      },
      {
        what: `${rule} of a task that has run for two days, and ended once before`,
        series: [...alive, began, steady('last_end_timestamp_seconds', labels, 60), large],
        fires: { [rule]: at(labels) },
      },
      {
        what: `${rule} of a task that has never ended`,
        series: [...alive, began, large],
        fires: { [rule]: at(labels) },
      },
    ]
  }),
]

it('there is a case in which each rule fires', () => {
  const fired = new Set(CASES.flatMap(({ fires }) => Object.keys(fires)))
  expect([...fired].sort()).toEqual(rules.map(({ alert }) => alert).sort())
})

const promtool = spawnSync('promtool', ['--version']).status === 0
if (!promtool) console.warn('SKIPPED: promtool is not installed, so the Prometheus rules are not tried')
it.skipIf(!promtool).each(CASES)('the Prometheus rules: $what', ({ series: input_series, fires }) => {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'))
  const file = join(folder, 'test.yml')
  // promtool compares annotations, too.
  const bare = groups.map((group) => ({
    name: group.name,
    rules: group.rules.map((rule) => ({ ...rule, annotations: {} })),
  }))
  writeFileSync(join(folder, 'rules.yml'), JSON.stringify({ groups: bare }))
  const alert_rule_test = rules.map(({ alert: alertname, labels }) => ({
    eval_time: `${END}s`,
    alertname,
    exp_alerts: fires[alertname] ? [{ exp_labels: { ...labels, ...fires[alertname] } }] : [],
  }))
  const tests = [{ interval: '5m', input_series, alert_rule_test }]
  writeFileSync(file, JSON.stringify({ rule_files: ['rules.yml'], evaluation_interval: '5m', tests }))
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  expect({ status, said: `${stdout}${stderr}` }).toMatchObject({ status: 0 })
})
