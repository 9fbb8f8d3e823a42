import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Deadline } from '../../../../src/stores/ucondb/web/deadline.ts'

const signal = new AbortController().signal
const DAY = 86_400_000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a deadline', () => {
  it.each([1000, 70 * DAY])('of %i ms ends the request then, and not before', (milliseconds) => {
    const deadline = new Deadline(signal, milliseconds)
    vi.advanceTimersByTime(milliseconds - 1)
    expect(deadline.reason).toBeUndefined()
    vi.advanceTimersByTime(1)
    expect(deadline.reason?.message).toBe(`no whole answer within ${milliseconds / 1000} s`)
  })

  it('that was extended ends so much later, and says how long it was in all', () => {
    const deadline = new Deadline(signal, 1000)
    deadline.extend(500)
    vi.advanceTimersByTime(1000)
    deadline.extend(500)
    vi.advanceTimersByTime(999)
    expect(deadline.reason).toBeUndefined()
    vi.advanceTimersByTime(1)
    expect(deadline.reason?.message).toBe('no whole answer within 2 s')
  })
})
