import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesOf, nameOf } from '../../src/common/file-name-encoding.ts'
import { sized } from '../sized.ts'

const anyBytes = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
const anyName = fc.oneof(
  anyBytes,
  fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)),
  fc
    .string({ unit: fc.constantFrom('%', '4', '1', 'F', 'f', 'é', '\xff', '\n') })
    .map((text) => Buffer.from(text, 'latin1')),
)

describe('a file name', () => {
  it('comes back from its text byte for byte, whatever its bytes are', () => {
    fc.assert(
      fc.property(anyName, (bytes) => {
        expect(bytesOf(nameOf(bytes)).equals(bytes)).toBe(true)
      }),
      { numRuns: sized(500, 3000) },
    )
  })
  it('has another text than every other name', () => {
    fc.assert(
      fc.property(anyName, anyName, (a, b) => {
        expect(nameOf(a) === nameOf(b)).toBe(a.equals(b))
      }),
      { numRuns: sized(500, 3000) },
    )
  })
  it('has a text that is printable, on one line, and well-formed', () => {
    fc.assert(
      fc.property(anyName, (bytes) => {
        const name = nameOf(bytes)
        expect(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(name)).toBe(false)
      }),
      { numRuns: sized(500, 3000) },
    )
  })
  it.each([
    ['tpc01.fcl', 'tpc01.fcl'],
    ['été.fcl', 'été.fcl'],
    ['100%.txt', '100%25.txt'],
    ['a\nb\x1b[31m', 'a%0Ab%1B[31m'],
    ['\u202egnp.exe', '%E2%80%AEgnp.exe'],
  ])('%j is shown as %j', (name, shown) => {
    expect(nameOf(Buffer.from(name))).toBe(shown)
  })
  it('that is not UTF-8 has its bytes above 127 escaped', () => {
    expect(nameOf(Buffer.from([0xff, 0xfe, 0x2e, 0x74]))).toBe('%FF%FE.t')
  })
})
