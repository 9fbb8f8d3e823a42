import { countConnection } from '../platform/network-counters.ts'

type Socket = Parameters<typeof countConnection>[0]

/** Counts a connection of pg, once it is made. The stream is its documented field; its types leave it out. */
export const countPostgres = (client: object): void =>
  countConnection((client as { connection?: { stream?: Socket } }).connection?.stream, 'database')

/** Counts a connection of mysql2, in its form with callbacks or that with promises, which wraps the other. */
export const countMysql = (connection: object): void => {
  const { stream, connection: inner } = connection as Mysql & { readonly connection?: Mysql }
  countConnection(stream ?? inner?.stream, 'database')
}

interface Mysql {
  readonly stream?: Socket
}

/** Counts a connection of tedious, once it is made. */
export const countMssql = (connection: object): void =>
  countConnection((connection as { socket?: Socket }).socket, 'database')
