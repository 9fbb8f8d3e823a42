import type { Socket } from 'node:net'
import { durationText } from '../common/duration.ts'

/** Milliseconds that the server has for its own word, such as the end of a wait for a lock, before its connection counts as dead. */
const OWN_WORD = 2000

/**
 * Breaks a connection of mysql2 over which nothing has passed for so many milliseconds and a little more: the statement in hand, and those that
 * wait behind it, fail with ETIMEDOUT. The driver waits for ever, and a frozen server's kernel answers every probe. A connection that is
 * idle is broken as well; its pool makes another.
 */
export const endWhenSilent = (connection: object, timeout: number): void => {
  const { stream } = connection as { readonly stream: Socket }
  stream.setTimeout(timeout + OWN_WORD, () => {
    const message = `the server has not answered for ${durationText((timeout + OWN_WORD) / 1000)}`
    stream.destroy(Object.assign(new Error(message), { code: 'ETIMEDOUT' }))
  })
}
