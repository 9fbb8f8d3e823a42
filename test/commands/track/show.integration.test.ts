import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archiver-track-show.'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const track = (input: string, ...words: string[]): string => {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(MONITOR|TASKER|RUN_ARCHIVER)_/.test(name)),
  )
  const own = { MONITOR_DB_CONN: `sqlite:${join(folder, 'ledger.db')}`, MONITOR_SPOOL_DIR: folder }
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [resolve('dist/main.js'), 'track', ...words],
    {
      input,
      encoding: 'utf8',
      env: { ...env, ...own },
    },
  )
  expect([status, stderr]).toEqual([0, ''])
  return stdout
}
const ID = 'a0000000-0000-4000-8000-000000000001'
const reported = (...operations: object[]): void => {
  const lines = [{ op: 'init', run_id: ID, task_name: 'DAILY_01' }, ...operations]
  track(lines.map((line) => `${JSON.stringify(line)}\n`).join(''), 'pipe')
}
/** Names of facts without anything behind them, and counts that nobody has counted. */
const EMPTY = /^[A-Z][\w ]*:\s*$|: {2,}(?:runs|of|MB|%)\b|0\/\?|" - 0$|undefined|null|NaN/m

describe('track show', () => {
  it('of an execution without steps writes no line that says nothing', () => {
    reported({ op: 'finish', message: '2 states' })
    const shown = track('', 'show', ID)
    expect(shown).not.toMatch(EMPTY)
    expect(shown).not.toMatch(/^(Rate|Runs):/m)
    expect(shown).toMatch(/^Status: +FINISHED$/m)
    expect(shown).toMatch(/^Message: +2 states$/m)
    expect(track('', 'current')).toMatch(/^DAILY_01 {2}FINISHED {8}100% /m)
  })
  it('has the items of each step that counts any, and the share of one that gives only that', () => {
    reported(
      { op: 'enter', message: 'loading' },
      { op: 'progress', items_complete: 3, items_total: 8, message: 'Alaska' },
      { op: 'exit' },
      { op: 'enter', message: 'counting' },
      { op: 'progress', items_complete: 5 },
      { op: 'exit' },
      { op: 'enter', message: 'writing' },
      { op: 'status', subtask_percent: 45 },
      { op: 'error', message: 'no disk' },
    )
    const shown = track('', 'show', ID)
    expect(shown).not.toMatch(EMPTY)
    expect(shown).toMatch(/^STEP +STATUS +DURATION +ITEMS +MESSAGE$/m)
    expect(shown).toMatch(/^loading +COMPLETED .* 3\/8 +Alaska$/m)
    expect(shown).toMatch(/^counting +COMPLETED .* 5$/m)
    expect(shown).toMatch(/^Status: +FAILED$/m)
    expect(shown).toContain('Overall: Subtask 3 - "writing"\nCurrent Subtask: "writing" (45%)\n')
  })
  it('says how an execution ended that never recorded its end', () => {
    reported({ op: 'enter', message: 'loading' })
    expect(track('', 'show', ID)).toMatch(/^Status: +FAILED \(terminated\)$/m)
  })
})
