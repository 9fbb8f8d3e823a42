import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { audit, sample } from '../../../src/runs/verify/audit.ts'
import { auditJson, auditLines } from '../../../src/runs/verify/audit-text.ts'
import { RunSet } from '../../../src/common/run-set.ts'

const runs = (text: string): RunSet => (text === '' ? RunSet.EMPTY : RunSet.parse(text))
const facts = (source: string, stored: string, failed = '', incomplete = '') => ({
  source: runs(source),
  stored: runs(stored),
  failed: runs(failed),
  incomplete: runs(incomplete),
  damaged: new Map<number, string>(),
})

describe('an audit', () => {
  it('puts every run into exactly one class', () => {
    const result = audit(facts('1-6', '1-2,5', '4-5'))
    expect(result.archived.toString()).toBe('1-2,5')
    expect(result.failed.toString()).toBe('4')
    expect(result.pending.toString()).toBe('3,6')
    expect(result.stale.toString()).toBe('5')
    expect(result.violations).toEqual([])
  })

  it('never calls a run archived whose content is wrong', () => {
    const result = audit({ ...facts('1-3', '1-3'), damaged: new Map([[2, 'checksum']]) })
    expect(result.archived.toString()).toBe('1,3')
    expect(result.violations).toEqual([{ run: 2, type: 'damaged', reason: 'checksum' }])
    expect(auditLines([{ ...result, stage: 'import', readBack: 3 }])).toContain(
      '  VIOLATION: run 2 is damaged: checksum',
    )
  })

  it('calls a run lost that was compared before, and that the destination does not have any more', () => {
    const { archived, pending, violations } = audit({ ...facts('1-4', '1'), before: runs('1-2') })
    expect([archived, pending].map(String)).toEqual(['1', '3-4'])
    expect(violations).toMatchObject([{ run: 2, type: 'lost' }])
  })

  it('calls a run pending whose source has changed since it was stored, or failed where that was tried', () => {
    const { archived, failed, pending, stale, violations } = audit({
      ...facts('1-4', '1-4', '3-4'),
      changed: runs('2-3'),
    })
    expect([archived, pending, failed, stale].map(String)).toEqual(['1,4', '2', '3', '4'])
    expect(violations).toEqual([])
  })

  it('calls a run lost that neither side has whole any more', () => {
    const { violations } = audit(facts('1', '1', '7', '8'))
    expect(violations.map(({ run, type }) => [run, type])).toEqual([
      [7, 'lost'],
      [8, 'lost'],
    ])
  })

  it('does not mind what is archived and gone from the source', () => {
    expect(audit(facts('', '1-3'))).toMatchObject({ violations: [] })
  })

  it('classes are disjoint and complete, whatever it is given', () => {
    const set = fc.uniqueArray(fc.integer({ min: 1, max: 20 })).map((list) => RunSet.of(list))
    fc.assert(
      fc.property(set, set, set, set, set, (source, stored, failed, incomplete, changed) => {
        const whole = {
          source,
          stored,
          failed,
          incomplete: incomplete.minus(stored),
          changed: changed.intersect(stored),
          damaged: new Map<number, string>(),
        }
        const result = audit(whole)
        const { archived, pending } = result
        expect(archived.intersect(result.failed).isEmpty && archived.intersect(pending).isEmpty).toBe(true)
        expect(result.failed.intersect(pending).isEmpty).toBe(true)
        expect(source.minus(archived.union(result.failed).union(pending)).isEmpty).toBe(true)
      }),
    )
  })

  it('is one JSON document, too', () => {
    const json = JSON.parse(
      auditJson([{ ...audit(facts('1-3', '1')), stage: 'migrate', readBack: 1 }]),
    ) as unknown
    expect(json).toMatchObject({
      holds: true,
      stages: [{ counts: { archived: 1, pending: 2 }, pending: '2-3' }],
    })
  })
})

describe('a sample', () => {
  it('has the first and the last run, and as many as were asked for', () => {
    expect([...sample(RunSet.parse('1-5,100-1000,5000'), 4)]).toHaveLength(4)
    expect(sample(RunSet.parse('1-5,100-1000,5000'), 4)).toMatchObject({ first: 1, last: 5000 })
    expect(sample(RunSet.parse('1-3'), 20).toString()).toBe('1-3')
  })
})
