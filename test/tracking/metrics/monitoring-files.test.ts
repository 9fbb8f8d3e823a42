import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { RULES } from '../../../src/tracking/alerts/watch-rules.ts'
import { FAMILIES } from '../../../src/tracking/metrics/prometheus-textfile.ts'
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
  standings: [{ stage: 'import', lastContiguousRun: 5, lastAttemptedRun: 9, pending: 2, failed: 1 }],
  instances: { running: 2 },
  claims: { claimed: 3 },
  fenced: 4,
  recovered: 5,
  spoolBytes: 10,
  ledgerUp: true,
  version: '1',
  commit: 'c',
  textfile:
    '# HELP archiver_failed_runs old\n# TYPE archiver_failed_runs gauge\narchiver_failed_runs{stage="import"} 99\n# HELP archiver_runs_total Runs attempted.\n# TYPE archiver_runs_total counter\narchiver_runs_total{stage="import",result="ok"} 8\n',
}

describe('the text of /metrics', () => {
  it('has each family once, with what passes alone count from their file', async () => {
    const text = await servedMetrics(SERVED)
    expect(text).toContain('archiver_executions_total{task="DAILY_01",status="ok"} 7')
    expect(text).toContain('archiver_runs_total{stage="import",result="ok"} 8')
    expect(text).toContain('archiver_failed_runs{stage="import"} 1\n')
    expect(text).not.toContain(' 99')
    expect(text).not.toContain('archiver_last_success')
    const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
    expect(new Set(types).size).toBe(types.length)
    for (const name of types) expect(known.has(name ?? '')).toBe(true)
  })
  it.skipIf(!promtool)('passes promtool', async () => {
    const input = await servedMetrics(SERVED)
    const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { encoding: 'utf8', input })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    // Control: promtool refuses a family without a name.
    expect(spawnSync('promtool', ['check', 'metrics'], { input: `${input}{} 1\n` }).status).not.toBe(0)
  })
})

it('the monitoring guide names every alert rule, and no other', () => {
  const named = [...textOf('README.md').matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, rule]) => rule)
  expect(named).toEqual(Object.keys(RULES))
})
