import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openFile } from '../../src/sql/libsql-database.ts'
import { Site } from '../site.ts'

interface Checked {
  readonly found: readonly { readonly rule: string; readonly subject: string; readonly detail: string }[]
  readonly fired: readonly { readonly rule: string }[]
  readonly resolved: readonly { readonly rule: string; readonly subject: string }[]
}

let site: Site
let run = 0
beforeEach(() => {
  site = new Site()
  run = 0
})
afterEach(() => site.remove())

const check = (): Checked => JSON.parse(site.command('alerts check', '--json').stdout) as Checked
const rules = (of: readonly { readonly rule: string }[]): string[] => of.map(({ rule }) => rule)
/** A pass of one run, after `count` more have come. */
const pass = (count: number): void => {
  for (let i = 0; i < count; i++) site.record(++run)
  expect(site.archiver('--incremental', '--limit', '1').status).toBe(0)
}

it('a backlog that grows for three passes fires once, and resolves once when a pass leaves less', () => {
  for (const count of [2, 2, 2]) pass(count)
  expect(rules(check().found)).not.toContain('backlog_growing')
  pass(3)
  // Neither of these says how much is left in all.
  site.archiver('--retry-failed-import')
  site.archiver('--runs', '1')
  const checked = check()
  expect(checked.found.filter(({ rule }) => rule === 'backlog_growing')).toMatchObject([
    { subject: 'import', detail: expect.stringContaining('1, 2, 3, 5') as string },
  ])
  expect(rules(checked.fired)).toContain('backlog_growing')
  expect(rules(check().fired)).not.toContain('backlog_growing')
  expect(site.command('alerts silence', 'backlog_growing', '--for', '1h').status).toBe(0)
  expect(site.command('alerts list').stdout).toMatch(/silent until .* backlog_growing/)
  site.archiver('--incremental')
  expect(check().resolved).toContainEqual(expect.objectContaining({ rule: 'backlog_growing' }))
  expect(rules(check().resolved)).not.toContain('backlog_growing')
})

it.each(['{"work_dir":', 'null', undefined])(
  'an event of a backlog that says %j is left out, and the others count',
  (detail) => {
    for (const count of [2, 2, 2, 3]) pass(count)
    const database = openFile(join(site.path('work'), 'ledger.db'), 1000)
    database
      .prepare(
        `INSERT INTO events (run_id, seq, at, kind, detail)
        SELECT run_id, seq + 100, '2999' || substr(at, 5), kind, ? FROM events WHERE kind = 'runs-left'`,
      )
      .run([detail ?? null])
    database.close()
    expect(rules(check().found)).toContain('backlog_growing')
  },
)

it('a silence holds back what a pass sends at its end, and the next check records it', () => {
  const silenced = new Site({
    more: 'reporting: {webhook: {enabled: true, url: "http://127.0.0.1:1/nobody"}}',
  })
  try {
    silenced.record(1)
    writeFileSync(silenced.path('db'), 'no folder')
    const tried = silenced.archiver('--import-only')
    expect(tried.stdout + tried.stderr).toContain('Nobody could be notified: The import stage was stopped')
    expect(silenced.command('alerts silence', 'failed', '--for', '1h').status).toBe(0)
    const quiet = silenced.archiver('--import-only')
    expect(quiet.stdout + quiet.stderr).not.toContain('Nobody could be notified: The import stage')
    expect(quiet.stdout + quiet.stderr).toContain('An alert is silenced: The import stage was stopped')
    expect(silenced.command('alerts check').stdout).toContain('failed')
  } finally {
    silenced.remove()
  }
})

it('nothing ends while it is not known whether it is over', () => {
  const failures = join(site.path('work'), 'import_failures.log')
  pass(1)
  const lines = Array.from({ length: 200 }, (_, i) => `${1000 + i}\n`).join('')
  writeFileSync(failures, lines)
  expect(rules(check().fired)).toContain('failure_log')
  rmSync(failures)
  mkdirSync(failures) // nobody can read it
  expect(rules(check().resolved)).not.toContain('failure_log')
  expect(site.command('alerts list').stdout).toContain('failure_log')
  rmSync(failures, { recursive: true })
  writeFileSync(failures, '')
  expect(check().resolved).toContainEqual(expect.objectContaining({ rule: 'failure_log', subject: 'import' }))
})

describe('a pass whose runs failed, and no new run since', () => {
  beforeEach(() => {
    for (const one of [1, 2, 3]) site.record(one)
    // Two folders claim each of the runs.
    for (const one of ['02', '03']) site.record(one)
    expect(site.archiver('--incremental').status).toBe(1)
    expect(rules(check().fired)).toContain('partial')
  })
  const mend = (...runs: readonly number[]): void => {
    for (const one of runs) rmSync(site.path('records', `0${one}`), { recursive: true })
  }

  it('is repaired once a retry has archived all of them: its alert ends, though the task itself has nothing to do', () => {
    mend(2)
    expect(site.archiver('--retry-failed-import').status).toBe(1)
    expect(check().resolved).not.toContainEqual(
      expect.objectContaining({ rule: 'partial', subject: 'incremental' }),
    )
    mend(3)
    expect(site.archiver('--retry-failed-import').status).toBe(0)
    expect(site.archiver('--incremental').status).toBe(0)
    const checked = check()
    expect(checked.resolved).toContainEqual(
      expect.objectContaining({ rule: 'partial', subject: 'incremental' }),
    )
    expect(rules(checked.found)).not.toContain('partial')
  })

  it('is not repaired by a pass over other runs', () => {
    mend(2, 3)
    site.record(4)
    expect(site.archiver('--runs', '4').status).toBe(0)
    expect(rules(check().found)).toContain('partial')
  })
})
