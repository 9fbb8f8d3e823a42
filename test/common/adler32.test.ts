import fc from 'fast-check'
import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { adler32 } from '../../src/common/adler32.ts'

describe('an Adler-32', () => {
  it('is 1 for no bytes', () => {
    expect(adler32(new Uint8Array())).toBe(1)
  })

  it.each([
    ['Wikipedia', 0x11e60398],
    ['hello 200 v2', 435749775],
  ])('of %j is the published one', (text, sum) => {
    expect(adler32(Buffer.from(text))).toBe(sum)
  })

  it('is the one that zlib puts at the end of its stream, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000, size: 'max' }), (bytes) => {
        expect(adler32(bytes)).toBe(deflateSync(bytes).readUInt32BE(deflateSync(bytes).length - 4))
      }),
      { numRuns: 50 },
    )
  })

  it('is unsigned where both sums are large, across several blocks', () => {
    const bytes = Buffer.alloc(1_000_000, 0xff)
    expect(adler32(bytes)).toBe(deflateSync(bytes).readUInt32BE(deflateSync(bytes).length - 4))
  })
})
