import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { RULES } from '../../../src/tracking/alerts/watch-rules.ts'
import { FAMILIES } from '../../../src/tracking/metrics/prometheus-textfile.ts'

const FOLDER = 'docs/monitoring'
const textOf = (name: string): string => readFileSync(`${FOLDER}/${name}`, 'utf8')

const known = new Set(
  Object.entries(FAMILIES).flatMap(([name, [type]]) =>
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

it('the monitoring guide names every alert rule, and no other', () => {
  const named = [...textOf('README.md').matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, rule]) => rule)
  expect(named).toEqual(Object.keys(RULES))
})
