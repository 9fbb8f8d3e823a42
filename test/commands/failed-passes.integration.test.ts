import { existsSync, renameSync, rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

describe('an archive that was away for a pass, and no new run since', () => {
  let site: Site
  const pass = (): number | null => site.archiver('--incremental').status
  /** The executions of passes, the newest first, by their words. */
  const executions = (): string[] => {
    const { stdout } = site.command('history', '--json')
    const { executions } = JSON.parse(stdout) as { executions: { task: string; status: string }[] }
    return executions.filter(({ task }) => task === 'incremental').map(({ status }) => status)
  }
  beforeEach(() => {
    site = new Site()
    site.record(1)
    expect([pass(), pass(), pass()]).toEqual([0, 0, 0])
    renameSync(site.path('archive'), site.path('away'))
    expect(pass()).toBe(1)
    renameSync(site.path('away'), site.path('archive'))
  })
  afterEach(() => site.remove())

  it('has one execution more, so that the failure is over, and none after that', () => {
    const before = executions()
    expect(before[0]).toBe('FAILED')
    expect(pass()).toBe(0)
    const after = executions()
    expect(after.slice(1)).toEqual(before)
    expect(after[0]).not.toBe('FAILED')
    expect([pass(), pass()]).toEqual([0, 0])
    expect(executions()).toEqual(after)
  })

  it('passes all the same where the power went before the failure was noted beside the ledger', () => {
    const file = site.path('work', 'ledger-failed.txt')
    expect(existsSync(file)).toBe(true)
    rmSync(file)
    const before = executions()
    expect([pass(), pass()]).toEqual([0, 0])
    expect(executions()).toEqual(before)
  })
})
