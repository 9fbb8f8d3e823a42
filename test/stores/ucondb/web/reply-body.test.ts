import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReplyBody } from '../../../../src/stores/ucondb/web/reply-body.ts'

describe("a reply's body", () => {
  it('is what came, whatever the server said of its size', () => {
    const pieces = fc.array(fc.integer({ min: 0, max: 700_000 }), { maxLength: 6 })
    const declared = fc.oneof(
      fc.constant(undefined),
      fc.constantFrom('', 'x', '-1', '1e9', '99999999999999'),
      fc.integer({ min: 0, max: 3_000_000 }).map(String),
    )
    fc.assert(
      fc.property(pieces, declared, (sizes, size) => {
        const parts = sizes.map((length, at) => Buffer.alloc(length, 65 + at))
        const body = new ReplyBody(size, 4_000_000)
        for (const part of parts) body.add(part)
        expect(body.whole().equals(Buffer.concat(parts))).toBe(true)
      }),
      { numRuns: 60 },
    )
  })
})
