import { ArchiverError } from '../errors.ts'
import type { Session } from '../sql/session.ts'
import { LogDatabase } from './log/log-database.ts'
import { cut, RowsLog } from './log/rows-log.ts'
import { sleep } from './options.ts'
import { lockName, takeLock } from './run-lock.ts'
import { connect, type Connections, type Places } from './server.ts'
import type { Table } from './table.ts'

/** Where the log tables are: in the source's database, or in that of their own connection. */
export const logSchema = async ({ source, log }: Connections, table: Table): Promise<string> => {
  if (log === source) return table.schema
  const sql = log.dialect === 'mysql' ? 'SELECT DATABASE() AS name' : 'SELECT current_schema() AS name'
  return (await log.run(sql)).rows[0]?.['name'] ?? table.schema
}

/** The log tables of a source. */
export const logOf = async (connections: Connections, places: Places, table: Table): Promise<LogDatabase> =>
  new LogDatabase(
    connections.log,
    await logSchema(connections, table),
    connections.log === connections.source ? undefined : placeName(places.source.url),
  )

/** A database by its server and name, without who logs in. */
const placeName = (url: string): string => {
  const { hostname, port, pathname, searchParams } = new URL(url)
  const host = hostname || searchParams.get('host') || 'localhost'
  return cut(`${host}${port === '' ? '' : `:${port}`}${pathname}`, 255)
}

/** How long an own connection that broke may keep the table's lock. */
const PATIENCE = 30_000

/** The connections of a run with the lock on its table, kept through breaks. */
export class RunConnections {
  readonly #places: Places
  readonly #table: Table
  readonly #isOneServer: boolean
  readonly #recheck: (connections: Connections) => Promise<void>
  #connections: Connections
  #log: RowsLog | undefined

  /** `recheck` throws where connections that were made anew lead to other tables or servers than the first ones. */
  constructor(
    connections: Connections,
    places: Places,
    table: Table,
    isOneServer: boolean,
    recheck: (connections: Connections) => Promise<void>,
  ) {
    this.#recheck = recheck
    this.#connections = connections
    this.#places = places
    this.#table = table
    this.#isOneServer = isOneServer
  }

  get source(): Session {
    return this.#connections.source
  }

  /** The archive's connection where it is another server. */
  get archive(): Session | undefined {
    return this.#isOneServer ? undefined : this.#connections.archive
  }

  /** The server and database of the archive, as the log has them; empty: the source's server. */
  get archiveServer(): string {
    const { archive } = this.#places
    return archive === undefined || this.#isOneServer ? '' : placeName(archive.url)
  }

  /** Whether the batch's row can join the transaction that moves its rows. */
  get logsInTransaction(): boolean {
    return this.#connections.log === this.#connections.source
  }

  get log(): RowsLog | undefined {
    return this.#log
  }

  /** Whether every connection of the run answers. */
  async isAlive(): Promise<boolean> {
    const { source, archive, log } = this.#connections
    const answers = [...new Set([source, archive, log])].map((session) => session.run('SELECT 1'))
    return (await Promise.allSettled(answers)).every(({ status }) => status === 'fulfilled')
  }

  async openLog(): Promise<RowsLog> {
    this.#log = new RowsLog(await logOf(this.#connections, this.#places, this.#table))
    return this.#log
  }

  /**
   * Connects again after a break, looks at the tables again, and takes the lock again. Throws LOCK_LOST when another process has been at work meanwhile: it has given this one
   * its final word in the log.
   */
  async renew(signal: AbortSignal): Promise<void> {
    this.#connections.destroy()
    this.#connections = await connect(this.#places)
    await this.#recheck(this.#connections)
    if (!this.#log) return
    await this.#moveLog(this.#log)
    const name = lockName(this.#table)
    for (let waited = 0; !(await takeLock(this.source, name)); waited += 100) {
      if (waited >= PATIENCE || signal.aborted) throw lost()
      await sleep(100, signal)
    }
    if (!(await this.#log.isRunning())) throw lost()
  }

  /** Connects again for the last words in the log alone: without the table's lock, which a batch that was abandoned may hold until its timeout. */
  async reopenLog(): Promise<void> {
    this.#connections.destroy()
    this.#connections = await connect(this.#places)
    if (this.#log) await this.#moveLog(this.#log)
  }

  async #moveLog(log: RowsLog): Promise<void> {
    this.#log = log.on(await logOf(this.#connections, this.#places, this.#table))
  }

  destroy(): void {
    this.#connections.destroy()
  }

  close(): Promise<void> {
    return this.#connections.close()
  }
}

const lost = (): ArchiverError =>
  new ArchiverError('LOCK_LOST', 'another process works on the table since the connection broke', {
    hint: 'let it finish; run-archiver rows status shows it',
  })
