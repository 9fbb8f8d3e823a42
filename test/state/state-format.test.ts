import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareStage } from '../../src/runs/report/compare-state.ts'
import { rebuild, rebuildNumbers } from '../../src/state/rebuild-state.ts'
import { recoveryJson, recoveryLines } from '../../src/runs/report/recovery-text.ts'
import { RunSet } from '../../src/common/run-set.ts'
import { advance, formatState, parseState } from '../../src/state/state-format.ts'

const set = (text: string): RunSet => (text === '' ? RunSet.EMPTY : RunSet.parse(text))
const anySet = fc.uniqueArray(fc.integer({ min: 1, max: 30 })).map((list) => RunSet.of(list))

describe('a state that is written', () => {
  it('is read as the same', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        const state = { lastContiguousRun: Math.min(a, b), lastAttemptedRun: Math.max(a, b) }
        expect(parseState(formatState(state), 'x')).toEqual(state)
      }),
    )
  })
})

describe('a state that advances', () => {
  it('follows the destination up and down, and forgets no attempt', () => {
    const state = { lastContiguousRun: 100, lastAttemptedRun: 100 }
    expect(advance(state, { attemptedUpTo: 105, lastContiguous: 102 })).toEqual({
      lastContiguousRun: 102,
      lastAttemptedRun: 105,
    })
    expect(advance(state, { attemptedUpTo: 7, lastContiguous: 50 })).toEqual({
      lastContiguousRun: 50,
      lastAttemptedRun: 100,
    })
    expect(advance(state, { attemptedUpTo: 120, lastContiguous: 120 })).toEqual({
      lastContiguousRun: 120,
      lastAttemptedRun: 120,
    })
  })
  it('passes no run in hand, though higher ones are stored already', () => {
    const state = { lastContiguousRun: 0, lastAttemptedRun: 0 }
    expect(advance(state, { attemptedUpTo: 0, lastContiguous: 2 })).toEqual(state)
  })

  it('always has a text that can be read', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), fc.nat(), (a, b, attemptedUpTo, lastContiguous) => {
        const before = { lastContiguousRun: Math.min(a, b), lastAttemptedRun: Math.max(a, b) }
        const after = advance(before, { attemptedUpTo, lastContiguous })
        expect(parseState(formatState(after), 'x')).toEqual(after)
      }),
    )
  })
})

describe('a recovery', () => {
  it.each([
    ['100-102,105-107', '100-102,105-107', 102, 107, ''],
    ['12000', '12000', 12000, 12000, ''],
    ['1-3', '', 0, 0, ''],
    ['1-3,5-6,9-11,13-14', '1-4,6,9,11', 4, 11, '5,10'],
    ['1-20', '10-12', 12, 12, '1-9'],
  ])('of source %s and destination %s', (source, stored, contiguous, attempted, failed) => {
    const rebuilt = rebuild({ source: set(source), stored: set(stored) })
    expect(rebuilt.state).toEqual({ lastContiguousRun: contiguous, lastAttemptedRun: attempted })
    expect(rebuilt.failed.toString()).toBe(failed)
  })

  it('after a damaged state keeps every failure and makes none of what never was attempted', () => {
    expect(rebuildNumbers(set('1-3'), set('7'))).toEqual({ lastContiguousRun: 3, lastAttemptedRun: 7 })
  })

  it('leaves no state that contradicts the stores', () => {
    fc.assert(
      fc.property(anySet, anySet, (source, stored) => {
        const { state, failed } = rebuild({ source, stored })
        const { missing, late, fresh, stale, gone, contiguous } = compareStage({
          source,
          stored,
          state,
          failed,
        })
        expect(contiguous).toBe(state.lastContiguousRun)
        expect([late.isEmpty, stale.isEmpty, gone.isEmpty]).toEqual([true, true, true])
        expect(failed.union(fresh).equals(source.minus(stored))).toBe(true)
        expect(missing.minus(failed).isEmpty).toBe(true)
      }),
    )
  })

  it('prints the lines of the manual, with the real names of the files', () => {
    const source = RunSet.parse('12001-12003,12345,12347,12349,12352,12550')
    const stored = RunSet.parse('12001-12003,12550')
    const recovery = {
      ...rebuild({ source, stored }),
      stage: 'import' as const,
      sourceRuns: source.size,
      storedRuns: stored.size,
      stateFile: '/var/lib/archiver/importer_state.json',
      failureLog: '/var/lib/archiver/import_failures.log',
      kept: [],
      dryRun: false,
    }
    const text = recoveryLines('import')
    const rule = '='.repeat(70)
    expect([
      ...text.start,
      ...text.sourceFound(8),
      ...text.destinationFound(4),
      ...text.done(recovery),
    ]).toEqual([
      rule,
      'IMPORT STATE RECOVERY',
      rule,
      'Scanning filesystem for run records...',
      'Found 8 runs in filesystem',
      '',
      'Querying artdaqDB for available runs...',
      'Found 4 runs in artdaqDB',
      '',
      'Last attempted run: 12550',
      'Last contiguous run: 12003',
      '',
      'Found 4 missing runs to add to failure log',
      '✓ Written importer_state.json',
      '✓ Written import_failures.log with 4 runs',
      '',
      rule,
      'IMPORT STATE RECOVERY COMPLETE',
      '  Filesystem runs: 8',
      '  ArtdaqDB runs: 4',
      '  Last contiguous: 12003',
      '  Last attempted: 12550',
      '  Missing runs: 4',
      '  Missing runs (preview): [12345, 12347, 12349, ...]',
      rule,
    ])
    expect(JSON.parse(recoveryJson(recovery))).toMatchObject({
      missing_runs: '12345,12347,12349,12352',
      last_attempted_run: 12550,
    })
  })
})
