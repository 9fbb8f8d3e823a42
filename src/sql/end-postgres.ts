import type { Socket } from 'node:net'
import type pg from 'pg'
import { inTime } from './silence-watch.ts'

/** pg has no public call that drops a connection without saying goodbye; the stream is its documented field. */
export const postgresSocket = (client: pg.Client): Socket =>
  (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream

/** Ends a connection. The server has so many milliseconds to take the goodbye, then the connection is dropped: a frozen server never takes it. Does not throw. */
export const endPostgres = (client: pg.Client, timeout: number): Promise<void> =>
  inTime(client.end(), timeout, 'no goodbye').catch(() => {
    postgresSocket(client).destroy()
  })
