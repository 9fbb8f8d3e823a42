import { describe, expect, it } from 'vitest'
import { failedItems, failureGroups, failuresWith } from '../../src/web/failure-groups.ts'
import type { RunAttempt } from '../../src/web/model.ts'

const NOW = Date.parse('2026-11-28T12:00:00Z')
const attempt = (run: number, code: string, error: string): RunAttempt => ({
  execution: 1,
  stage: 'import',
  run,
  name: String(run),
  standing: 'failed',
  result: undefined,
  bytes: undefined,
  documents: undefined,
  attempts: undefined,
  startedAt: NOW,
  endedAt: NOW,
  tookMs: 1,
  code,
  error,
})

describe('a run that failed for two causes', () => {
  const attempts = [attempt(7, 'CONFLICT', 'other content'), attempt(7, 'DISK_FULL', 'disk /a is full')]
  it('counts once in all, and once for each cause', () => {
    expect(failedItems(attempts)).toBe(1)
    expect(failureGroups(attempts, NOW).map(({ count }) => count)).toEqual([1, 1])
  })
  it('is found by stage, code and text', () => {
    expect(failuresWith(attempts, 'import', 'disk')).toHaveLength(1)
    expect(failuresWith(attempts, '', 'conflict')).toHaveLength(1)
    expect(failuresWith(attempts, 'migrate', '')).toHaveLength(0)
  })
})
