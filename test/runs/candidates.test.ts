import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { attemptedUpTo } from '../../src/runs/attempted-up-to.ts'
import { candidates, passLimit } from '../../src/runs/candidates.ts'
import { RunSet } from '../../src/common/run-set.ts'

const runs = fc.array(fc.integer({ min: 1, max: 60 })).map((list) => RunSet.of(list))
const none = RunSet.EMPTY

describe('the runs of an incremental pass', () => {
  it('are those of the source that the destination lacks and the failure log does not name, however late they come', () => {
    const input = { mode: 'incremental' as const, failed: RunSet.parse('104'), changed: none, unproven: none }
    const plan = candidates({
      ...input,
      source: RunSet.parse('98,100-106'),
      destination: { runs: RunSet.parse('100-103,105') },
    })
    expect(plan.toString()).toBe('98,106')
  })
  it('together with the failed ones are all that is missing, was never compared, or failed though it is listed', () => {
    fc.assert(
      fc.property(runs, runs, runs, runs, (source, stored, failed, unproven) => {
        const input = { source, destination: { runs: stored }, failed, changed: none, unproven }
        const incremental = candidates({ ...input, mode: 'incremental' })
        const retry = candidates({ ...input, mode: 'retry' })
        const all = source.minus(stored.minus(failed).minus(unproven)).toString()
        expect(incremental.intersect(retry).isEmpty).toBe(true)
        expect(incremental.union(retry).toString()).toBe(all)
        expect(candidates({ ...input, mode: 'full' }).toString()).toBe(all)
      }),
    )
  })
  it('include stored ones whose record has changed since', () => {
    const input = {
      mode: 'incremental' as const,
      failed: none,
      unproven: none,
      source: RunSet.parse('1-5'),
      destination: { runs: RunSet.parse('1-5') },
    }
    expect(candidates({ ...input, changed: RunSet.parse('3') }).toString()).toBe('3')
  })
  it('are narrowed by --runs, which names failed ones too', () => {
    const input = {
      source: RunSet.parse('1-9'),
      destination: { runs: RunSet.parse('1-2') },
      failed: RunSet.parse('5'),
      changed: none,
      unproven: none,
    }
    expect(candidates({ ...input, mode: 'incremental', only: RunSet.parse('2-5') }).toString()).toBe('3-5')
  })
})

describe('the limit of a pass', () => {
  it.each([
    { mode: 'incremental' as const, batch: 5, limit: undefined, expected: 5 },
    { mode: 'full' as const, batch: 5, limit: undefined, expected: 50 },
    { mode: 'retry' as const, batch: 5, limit: undefined, expected: Infinity },
    { mode: 'incremental' as const, batch: 0, limit: undefined, expected: Infinity },
    { mode: 'full' as const, batch: 5, limit: 7, expected: 7 },
  ])(
    'is $expected in $mode mode with batch_size $batch and --limit $limit',
    ({ mode, batch, limit, expected }) => {
      expect(passLimit(mode, batch, limit)).toBe(expected)
    },
  )
})

describe('last_attempted_run', () => {
  it('never passes a run in flight, never goes back, and ends at the highest attempted', () => {
    fc.assert(
      fc.property(
        fc.nat(100),
        fc.array(fc.integer({ min: 1, max: 200 })),
        fc.array(fc.integer({ min: 1, max: 200 })),
        fc.array(fc.integer({ min: 1, max: 200 })),
        (before, failed, stored, open) => {
          const after = attemptedUpTo(before, failed, RunSet.of(stored), open)
          expect(after).toBeGreaterThanOrEqual(before)
          if (after > before) for (const run of open) expect(after).toBeLessThan(run)
          const ended = Math.max(before, ...failed, ...stored)
          expect(attemptedUpTo(before, failed, RunSet.of(stored), [])).toBe(ended)
        },
      ),
    )
  })
})
