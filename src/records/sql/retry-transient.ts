import { backoff } from '../../common/backoff.ts'
import { classOf } from './classify-error.ts'

/** How often the same is tried where a connection breaks or a lock is in the way, and the first wait in milliseconds. */
export const ATTEMPTS = 5
export const FIRST_WAIT = 100

/**
 * Does work that changes nothing, again where the same may succeed: a broken connection, a deadlock, a busy file. Throws the database's own
 * error after five tries, and at once where it is of another kind or `stop` has been asked for.
 */
export const retryTransient = async <T>(work: () => Promise<T>, stop?: AbortSignal): Promise<T> => {
  for (let attempt = 1; ; attempt++)
    try {
      return await work()
    } catch (error) {
      if (attempt >= ATTEMPTS || stop?.aborted || classOf(error) !== 'transient') throw error
      await new Promise((resolve) => setTimeout(resolve, backoff(attempt, FIRST_WAIT, Math.random)))
    }
}
