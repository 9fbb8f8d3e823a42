import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeReadiness, type RecordEvidence } from '../../../src/stores/run-records/readiness.ts'

const NOW = Date.UTC(2025, 9, 3)
const SECOND = 1000
const DAY = 86_400 * SECOND
const rules = { settleSeconds: 30, incompleteAfterSeconds: 7 * 86_400 }
const RUNNING = { started: true, ended: false }
const ENDED = { started: true, ended: true }

const judge = (ago: number, metadata: RecordEvidence['metadata'], more: Partial<RecordEvidence> = {}) =>
  judgeReadiness(
    { changedAt: NOW - ago, modifiedAt: NOW - ago, directoryWritable: false, metadata, ...more },
    rules,
    NOW,
  )

describe('a record', () => {
  it('that has ended and been quiet is ready', () => {
    expect(judge(31 * SECOND, ENDED)).toEqual({ ready: true, ended: true })
  })
  it('of a run that goes on waits, however quiet', () => {
    expect(judge(6 * DAY, RUNNING)).toMatchObject({ ready: false, reason: 'running' })
  })
  it('that is being copied waits, by its missing metadata or its open directory', () => {
    expect(judge(SECOND, undefined)).toMatchObject({ ready: false, reason: 'copying' })
    expect(judge(DAY, undefined)).toMatchObject({ ready: false, reason: 'copying' })
    const short = { started: false, ended: false }
    expect(judge(DAY, short, { directoryWritable: true })).toMatchObject({ reason: 'copying' })
  })
  it('whose start was never confirmed waits', () => {
    expect(judge(DAY, { started: false, ended: false })).toMatchObject({ ready: false, reason: 'started' })
  })
  it('that has ended a moment ago settles first', () => {
    const verdict = judge(10 * SECOND, ENDED)
    expect(verdict).toEqual({
      ready: false,
      reason: 'settling',
      detail: 'changed 10 s ago, quiet after 30 s',
    })
  })
  it('that ended long ago, and was copied in a moment ago with its old times, settles first', () => {
    expect(judge(DAY, ENDED, { changedAt: NOW - SECOND })).toMatchObject({ ready: false, reason: 'settling' })
  })
  it.each([undefined, RUNNING, { started: false, ended: false }])(
    'that never ended is taken as incomplete when it is old: %j',
    (metadata) => {
      expect(judge(7 * DAY, metadata)).toEqual({ ready: true, ended: false })
    },
  )
  it('that never ended is taken at once where the site says so', () => {
    const evidence = {
      changedAt: NOW - DAY,
      modifiedAt: NOW - DAY,
      directoryWritable: false,
      metadata: RUNNING,
    }
    expect(judgeReadiness(evidence, { ...rules, incompleteAfterSeconds: 0 }, NOW)).toEqual({
      ready: true,
      ended: false,
    })
  })
})

describe('a record whose times are ahead of the clock', () => {
  it('does not wait for the clock when it has ended', () => {
    expect(judge(-3 * DAY, ENDED)).toEqual({ ready: true, ended: true })
  })
  it('says so when it waits', () => {
    const verdict = judge(-3 * DAY, RUNNING)
    expect(verdict).toMatchObject({ ready: false, reason: 'running' })
    expect(JSON.stringify(verdict)).toContain("its time is 3 d ahead of this machine's clock")
  })
  it('by less than the settling time settles, as servers’ clocks differ a little', () => {
    expect(judge(-10 * SECOND, ENDED)).toMatchObject({ ready: false, reason: 'settling' })
  })
})

describe('whatever the times are', () => {
  it('no record is ready that is neither ended nor old', () => {
    const time = fc.integer({ min: NOW - 30 * DAY, max: NOW + 30 * DAY })
    fc.assert(
      fc.property(time, time, fc.boolean(), (changedAt, modifiedAt, directoryWritable) => {
        const verdict = judgeReadiness(
          { changedAt, modifiedAt, directoryWritable, metadata: RUNNING },
          rules,
          NOW,
        )
        if (verdict.ready) expect(NOW - modifiedAt).toBeGreaterThanOrEqual(7 * DAY)
      }),
    )
  })
})
