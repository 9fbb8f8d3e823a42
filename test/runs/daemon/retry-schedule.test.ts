import { describe, expect, it } from 'vitest'
import { Agenda } from '../../../src/runs/daemon/retry-schedule.ts'
import { RunSet } from '../../../src/common/run-set.ts'

const RULES = { first: 10, factor: 2, max: 50, attempts: 4 }
const runs = (...numbers: number[]) => RunSet.of(numbers)

/** The times at which a run is looked at, when each look is made at its time. */
const timesOf = (agenda: Agenda, from: number): number[] => {
  const times: number[] = []
  for (let now = from; agenda.next < Infinity; now = agenda.next)
    if (!agenda.due(now).isEmpty) {
      times.push(now)
      agenda.postpone(agenda.due(now), now)
    }
  return times
}

describe('a run that failed', () => {
  it('is tried again with growing pauses, so many times, and then left to people', () => {
    const agenda = new Agenda(RULES)
    agenda.keep(runs(7), 100)
    expect(timesOf(agenda, 100)).toEqual([110, 130, 170, 220])
    expect(agenda.exhausted.toString()).toBe('7')
  })
  it('keeps its time when others join it', () => {
    const agenda = new Agenda(RULES)
    agenda.keep(runs(7), 100)
    agenda.keep(runs(7, 8), 105)
    expect(agenda.due(110).toString()).toBe('7')
    expect(agenda.due(115).toString()).toBe('7-8')
  })
  it('is forgotten when it succeeded, and begins anew when it fails once more', () => {
    const agenda = new Agenda({ ...RULES, attempts: 1 })
    agenda.keep(runs(7), 0)
    agenda.postpone(runs(7), 10)
    expect(agenda.next).toBe(Infinity)
    agenda.keep(runs(), 20)
    agenda.keep(runs(7), 30)
    expect(agenda.next).toBe(40)
  })
  it('is never tried with attempts: 0', () => {
    const agenda = new Agenda({ ...RULES, attempts: 0 })
    agenda.keep(runs(7), 0)
    expect(agenda.next).toBe(Infinity)
  })
})

describe('a record that changes', () => {
  it('is looked at when it has been quiet for the whole time, not before', () => {
    const agenda = new Agenda({ ...RULES, attempts: Infinity })
    agenda.keep(runs(7), 0)
    agenda.touch(7, 8)
    expect(agenda.due(10).isEmpty).toBe(true)
    expect(agenda.due(18).toString()).toBe('7')
  })
  it('is none of the agenda when nobody put it there', () => {
    const agenda = new Agenda(RULES)
    agenda.touch(9, 0)
    expect(agenda.next).toBe(Infinity)
  })
})
