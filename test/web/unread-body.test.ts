import { describe, expect, it } from 'vitest'
import { isReadToEnd } from '../../src/web/unread-body.ts'

/** A body of so many pieces of 1000 bytes; `endless`: nothing comes behind them, and no end. */
const bodyOf = (pieces: number, isEndless = false): ReadableStream<Uint8Array> => {
  let left = pieces
  return new ReadableStream({
    pull: (controller) => {
      if (left-- > 0) controller.enqueue(new Uint8Array(1000))
      else if (!isEndless) controller.close()
    },
  })
}

describe('a body that nobody has read', () => {
  it('is read to its end', async () => {
    expect(await isReadToEnd(bodyOf(0))).toBe(true)
    expect(await isReadToEnd(bodyOf(50))).toBe(true)
  })
  it('is left where it is too long, or does not come to an end in time', async () => {
    expect(await isReadToEnd(bodyOf(50), { bytes: 20_000 })).toBe(false)
    expect(await isReadToEnd(bodyOf(50, true), { ms: 20 })).toBe(false)
  })
  it('is left where its sender goes', async () => {
    const broken = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error('aborted')) })
    expect(await isReadToEnd(broken)).toBe(false)
  })
})
