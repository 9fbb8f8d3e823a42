import { setTimeout as pause } from 'node:timers/promises'

const MOST_BYTES = 16_000_000
const MOST_MS = 2000

/**
 * Reads to its end, and drops, a body that no route has read: a sender that is cut off while it still sends may never see the answer (RFC 9112 section 9.6).
 * False where it goes on for too long: its connection is not for another request then, and the sender may be cut off.
 */
export const isReadToEnd = async (
  body: ReadableStream<Uint8Array>,
  { bytes: mostBytes = MOST_BYTES, ms = MOST_MS } = {},
): Promise<boolean> => {
  const reader = body.getReader()
  const stop = new AbortController()
  const late = pause(ms, 'late' as const, { signal: stop.signal, ref: false }).catch(() => 'late' as const)
  try {
    for (let bytes = 0; bytes <= mostBytes;) {
      const piece = await Promise.race([reader.read(), late])
      if (piece === 'late') return false
      if (piece.done) return true
      bytes += piece.value.length
    }
    return false
  } catch {
    return false // the sender has gone
  } finally {
    stop.abort()
  }
}
