import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ArchiverError } from '../../../src/errors.ts'
import { answerOf, takeAnswer } from '../../../src/runs/workers/error-transfer.ts'

/** As a message between threads carries it. */
const cross = <T>(value: T): T => structuredClone(value)

const failing = async (error: unknown): Promise<unknown> => {
  const answer = await answerOf(() => Promise.reject(error as Error))
  try {
    return takeAnswer(cross(answer))
  } catch (thrown) {
    return thrown
  }
}

describe('an error on its way from one thread to another', () => {
  it('is still one of ours, with its code, run, hint and cause', async () => {
    const cause = new ArchiverError('STORE_CORRUPT', 'half of it')
    const error = new ArchiverError('RECORD_INVALID', 'run 7: bad', { run: 7, hint: 'Look.', cause })
    const arrived = await failing(error)
    expect(arrived).toBeInstanceOf(ArchiverError)
    expect(arrived).toMatchObject({ code: 'RECORD_INVALID', message: 'run 7: bad', run: 7, hint: 'Look.' })
    expect((arrived as Error).cause).toBeInstanceOf(ArchiverError)
    expect((arrived as Error).cause).toMatchObject({ code: 'STORE_CORRUPT', hint: undefined, run: undefined })
    expect((arrived as Error).stack).toBe(error.stack)
  })

  it('is still the system’s, with its code and path', async () => {
    let error: unknown
    try {
      readFileSync('/no/such/file')
    } catch (thrown) {
      error = thrown
    }
    expect(await failing(error)).toMatchObject({ code: 'ENOENT', syscall: 'open', path: '/no/such/file' })
  })

  it('is still a bug where it was one', async () => {
    const arrived = await failing(new TypeError('x is no function'))
    expect(arrived).not.toBeInstanceOf(ArchiverError)
    expect(arrived).toMatchObject({ name: 'TypeError', message: 'x is no function' })
    expect(await failing('thrown as text')).toMatchObject({ message: 'thrown as text' })
  })

  it('is told from a value by an answer, not by its shape', async () => {
    const answer = await answerOf(() => Promise.resolve(undefined))
    expect(takeAnswer<unknown>(cross(answer))).toBeUndefined()
  })
})
