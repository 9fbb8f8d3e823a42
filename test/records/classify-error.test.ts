import { describe, expect, it } from 'vitest'
import { classOf } from '../../src/records/sql/classify-error.ts'

describe('an error of a driver that cannot bind a value', () => {
  it.each([
    new RangeError('Loss of precision reading BigInt'),
    new TypeError('Bind parameters must not be undefined'),
  ])('is the fault of the item, and does not stop the others: %s', (error) => {
    expect(classOf(error)).toBe('refused')
  })
  it('is not so where the server is away', () => {
    expect(classOf(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))).toBe('transient')
    expect(classOf(new Error('anything else'))).toBe('unavailable')
  })
})
