import type { Socket } from 'node:net'
import { postgresSocket } from './end-postgres.ts'
import { SilenceWatch } from './silence-watch.ts'

/**
 * Watches a connection of a pool of mysql2, from its event `connection`. The pool makes another one where it is broken. A statement may take `timeout`
 * milliseconds and a little more there, whether the server works on it or not.
 */
export const watchMysql = (connection: object, timeout: number): void => {
  // The driver has no public field for either; the command in hand is there until the last byte of its answer.
  const driver = connection as { readonly stream: Socket; readonly _command?: object | null }
  new SilenceWatch(driver.stream, timeout, () => Boolean(driver._command))
}

/** The same for a pool of pg, from its event `connect`. There the server itself ends a statement that takes longer, by `statement_timeout`. */
export const watchPostgres = (client: object, timeout: number): void => {
  const driver = client as Parameters<typeof postgresSocket>[0] & { readonly readyForQuery: boolean }
  new SilenceWatch(postgresSocket(driver), timeout, () => !driver.readyForQuery)
}
