import { describe, expect, it } from 'vitest'
import { jsonObject } from '../../src/common/json-object.ts'

describe('the object in a JSON text', () => {
  it('is what stands in it', () => expect(jsonObject('{"a":[1]}')).toEqual({ a: [1] }))
  it.each([null, undefined, '', 'null', '5', '"text"', '[1]', '{"a":', 'no JSON'])(
    'is empty for %j',
    (text) => expect(jsonObject(text)).toEqual({}),
  )
})
