import { describe, expect, it } from 'vitest'
import type { Fields, Log } from '../../src/common/log.ts'
import { ArchiverError } from '../../src/errors.ts'
import { narrator } from '../../src/tracking/event-logger.ts'

describe('a run that fails', () => {
  const told = (error: Error): [message: string, fields: Fields | undefined][] => {
    const errors: [string, Fields | undefined][] = []
    const log: Log = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (message, fields) => void errors.push([message, fields]),
    }
    narrator(log)({ type: 'item-failed', stage: 'import', key: '7', error, milliseconds: 1 })
    return errors
  }

  it('by a bug has it in the log as one, for its stack', () => {
    const bug = new RangeError('Maximum call stack size exceeded')
    const errors = told(
      new ArchiverError('RECORD_INVALID', 'converting the record hit a bug', { cause: bug }),
    )
    expect(errors).toHaveLength(2)
    expect(errors[1]).toEqual(['[Import] [Run 7] this is a bug', { stage: 'import', run: 7, error: bug }])
  })
  it.each([
    new ArchiverError('RECORD_INVALID', 'cannot be read', { cause: Object.assign(new Error('no'), { code: 'EACCES' }) }), // prettier-ignore
    new ArchiverError('RECORD_INVALID', 'too large'),
    new ArchiverError('STORE_REFUSED', 'refused', { cause: new Error('413') }),
  ])('by itself is told once: $message', (error) => {
    expect(told(error)).toHaveLength(1)
  })
})
