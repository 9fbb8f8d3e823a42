import { ArchiverError } from '../errors.ts'
import type { Dialect } from './dialects/dialect.ts'
import type { RowsOptions } from './options.ts'
import { assertLogTables } from './preflight/log-tables.ts'
import { preflight } from './preflight/preflight.ts'
import type { Cleared } from './preflight/problem.ts'
import { logOf, RunConnections } from './run-connections.ts'
import { rowsError } from './server-errors.ts'
import { connect, type Connections, dialectFor } from './server.ts'

/** What a run works with. */
export interface Opened {
  readonly connections: RunConnections
  readonly dialect: Dialect
  readonly cleared: Cleared
}

/**
 * Connects, and looks at all that must hold before the first batch: both tables, the limits, and the log tables where the mode writes them. Throws
 * ROWS_REFUSED or CONFIG_INVALID, and nothing stays open then. Nothing is written.
 */
export const openChecked = async (options: RowsOptions): Promise<Opened> => {
  const places = { ...options.places, logsRows: options.forced.has('binlog') }
  const first = await connect(places)
  const dialect = dialectFor(first.source)
  const look = ({ source, archive }: Connections): Promise<Cleared> =>
    preflight({
      source,
      archive,
      dialect,
      table: options.table,
      archiveTable: options.archiveTable,
      archiveFiles: options.archiveFiles && {
        ...options.archiveFiles,
        logsInTransaction: places.log === undefined,
      },
      where: options.where,
      children: options.children,
      batchSize: options.batchSize === 'auto' ? 10_000 : options.batchSize,
      forced: options.forced,
    })
  let cleared: Cleared
  try {
    cleared = await look(first)
    await options.gate.ready(first.source)
    if (options.mode === 'move' || options.mode === 'copy')
      await assertLogTables(await logOf(first, places, cleared.pair.source))
  } catch (error) {
    await first.close()
    throw rowsError(error, 'preflight')
  }
  for (const { message } of cleared.overruled) options.warn(`overruled: ${message}`)
  const { pair, oneServer } = cleared
  const connections = new RunConnections(first, places, pair.source, oneServer, async (fresh) =>
    assertCleared(cleared, await look(fresh)),
  )
  return { connections, dialect, cleared }
}

/** After a break another server may answer, or the tables may have changed: what was looked at once must be so still. */
const assertCleared = (first: Cleared, again: Cleared): void => {
  if (JSON.stringify(first) === JSON.stringify(again)) return
  throw new ArchiverError(
    'ROWS_REFUSED',
    'after the connection broke, what it leads to is not what it was when the run began',
    { hint: 'run again: it looks at both tables anew, and finished batches are skipped' },
  )
}
