import { describe, expect, it } from 'vitest'
import { outcomeLines } from '../../../src/commands/rows/outcome-text.ts'
import { NOTHING } from '../../../src/rows/batch.ts'
import type { RowsOutcome } from '../../../src/rows/options.ts'

const outcome = (deleted: number): RowsOutcome => ({
  status: 'COMPLETED',
  counts: { ...NOTHING, requested: deleted, moved: deleted, inserted: deleted, deleted },
  failedBatches: 0,
  failedFiles: 0,
  openConflicts: 0,
  reason: undefined,
  error: undefined,
  emptiedPartitions: [],
  milliseconds: 1000,
})
const hints = (deleted: number, dialect: 'mysql' | 'postgres', mode: 'move' | 'try' = 'move'): string =>
  outcomeLines(outcome(deleted), mode, { name: 'rewards', archive: 'rewards_archives', dialect })
    .slice(2)
    .join('\n')

describe('the end of a large move', () => {
  it('names the statement that gives the space back', () => {
    expect(hints(100_000, 'mysql')).toContain('OPTIMIZE TABLE rewards gives it back')
    expect(hints(100_000, 'postgres')).toContain('VACUUM FULL rewards gives it back')
  })

  it('does not where few rows were deleted, or none', () => {
    expect(hints(99_999, 'mysql')).toBe('')
    expect(hints(100_000, 'mysql', 'try')).toBe('')
  })
})

describe('the end of a move with children', () => {
  it('counts their rows, and those that they hold back', () => {
    const counts = {
      ...NOTHING,
      requested: 3,
      moved: 2,
      heldBack: 1,
      childrenInserted: 12,
      childConflicts: 1,
    }
    const lines = outcomeLines({ ...outcome(0), counts, openConflicts: 1 }, 'move', {
      name: 'r',
      archive: 'ra',
      dialect: 'mysql',
    })
    expect(lines.slice(1)).toEqual([
      '  2 moved',
      '  1 held back: a row that refers to them is in conflict; the next run looks again',
      '  1 conflict of rows that refer to them: both versions are kept',
      '  12 rows of child tables copied',
    ])
  })
})
