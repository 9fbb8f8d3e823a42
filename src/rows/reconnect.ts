import { backoff } from '../common/backoff.ts'
import { ArchiverError } from '../errors.ts'
import { sleep } from './options.ts'
import type { RunConnections } from './run-connections.ts'
import { rowsError, troubleOf } from './server-errors.ts'

/** Tries of one thing after deadlocks, lock waits and broken connections. */
export const TRIES = 6

/** Waits after trouble, connects again where a connection broke, and does this first thing then. Throws what does not pass. */
export const reconnected = async <Answer>(
  connections: RunConnections,
  attempt: number,
  signal: AbortSignal,
  act: () => Promise<Answer>,
): Promise<Answer> => {
  for (let tries = attempt; ; tries++) {
    await sleep(backoff(tries, 100, Math.random), signal)
    try {
      if (connections.archive || !(await connections.isAlive())) await connections.renew(signal)
      return await act()
    } catch (error) {
      const isOver = tries >= attempt + TRIES || signal.aborted
      if (isOver || troubleOf(error) !== 'transient')
        throw error instanceof ArchiverError ? error : rowsError(error, 'connecting again')
    }
  }
}

/** Does what may be done twice, between batches, until it is done: trouble that passes is waited for. Throws the rest as an error of the run. */
export const persist = async <Answer>(
  what: string,
  connections: RunConnections,
  signal: AbortSignal,
  act: () => Promise<Answer>,
): Promise<Answer> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act()
    } catch (error) {
      if (troubleOf(error) !== 'transient' || attempt >= TRIES || signal.aborted) throw rowsError(error, what)
      await reconnected(connections, attempt, signal, () => Promise.resolve())
    }
  }
}
