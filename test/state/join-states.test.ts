import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RunSet } from '../../src/common/run-set.ts'
import { joinStates } from '../../src/state/join-states.ts'

const runs = fc.uniqueArray(fc.integer({ min: 1, max: 60 })).map((all) => RunSet.of(all))
const memories = fc.array(
  fc.record({
    state: fc.record({
      lastContiguousRun: fc.constant(0),
      lastAttemptedRun: fc.integer({ min: 0, max: 60 }),
    }),
    failed: runs,
  }),
)

describe('the joined state of several instances', () => {
  it('never says attempted of a run that is neither stored nor failed, and never failed of one that is stored', () => {
    fc.assert(
      fc.property(memories, runs, runs, (remembered, source, stored) => {
        const { failed, attemptedUpTo } = joinStates(remembered, { source, stored })
        expect(failed.intersect(stored).isEmpty).toBe(true)
        expect([...source.upTo(attemptedUpTo).minus(stored).minus(failed)]).toEqual([])
      }),
    )
  })
  it('goes as far as the furthest instance where nothing is open', () => {
    const one = { state: { lastContiguousRun: 3, lastAttemptedRun: 5 }, failed: RunSet.of([5]) }
    const other = { state: { lastContiguousRun: 3, lastAttemptedRun: 6 }, failed: RunSet.EMPTY }
    const stores = { source: RunSet.of([3, 4, 5, 6]), stored: RunSet.of([3, 4, 6]) }
    const joined = joinStates([one, other], stores)
    expect([[...joined.failed], joined.attemptedUpTo]).toEqual([[5], 6])
  })
})
