import type { RunAttempt } from '../../src/web/model.ts'
import { describe, expect, it } from 'vitest'
import {
  failedItems,
  failureGroups,
  failuresWith,
  isGrowing,
  withBefore,
} from '../../src/web/failure-groups.ts'

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

describe('a cause in a time that is shorter than its bars', () => {
  it('keeps its days and its beginning of all that was looked at', () => {
    const now = Date.UTC(2026, 10, 28, 12)
    const at = (days: number, run: number) => ({
      ...{ stage: 'import', run, name: String(run), code: 'DISK_FULL', error: 'full' },
      ...{ standing: 'failed', startedAt: now - days * 86_400_000, endedAt: undefined },
    })
    const all = [at(0.1, 3), at(3, 2), at(5, 1)] as unknown as readonly RunAttempt[]
    const [group] = withBefore(failureGroups(all.slice(0, 1), now), failureGroups(all, now))
    expect(group).toMatchObject({ count: 1, first: now - 5 * 86_400_000 })
    expect(group?.days.filter((many) => many > 0)).toEqual([1, 1, 1])
    expect(group && isGrowing(group, now)).toBe(true)
  })
})
