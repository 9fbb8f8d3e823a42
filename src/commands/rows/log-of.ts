import { ArchiverError } from '../../errors.ts'
import type { Context } from '../../app/context.ts'
import type { LogDatabase } from '../../rows/log/log-database.ts'
import { brokenError } from '../../rows/server-errors.ts'
import { connect, dialectFor, type Connections } from '../../rows/server.ts'
import { logOf } from '../../rows/run-connections.ts'
import type { Table } from '../../rows/table.ts'
import { placesOf, rowsConfig, type RowsConfig } from './rows-config.ts'

export interface OpenLog {
  readonly config: RowsConfig
  readonly connections: Connections
  readonly table: Table
  readonly log: LogDatabase
}

/** Opens the log tables for a command that reads or settles. Throws NOT_FOUND where no run has made them, DATABASE_UNAVAILABLE where a connection breaks. */
export const withLog = async (
  file: string,
  context: Context,
  work: (open: OpenLog) => Promise<number>,
): Promise<number> => {
  const config = rowsConfig(file, context)
  const places = placesOf(config)
  const connections = await connect(places)
  try {
    const table = await dialectFor(connections.source).describe(connections.source, config.rows.table)
    if (!table) throw new ArchiverError('NOT_FOUND', `there is no table ${config.rows.table}`)
    const log = await logOf(connections, places, table)
    if (!(await log.exists()))
      throw new ArchiverError(
        'NOT_FOUND',
        'no rows were moved yet: the log tables of this program are not there, or not all of them',
        {
          hint: 'run-archiver rows run makes them, and adds to those of the original script what they lack',
        },
      )
    return await work({ config, connections, table, log })
  } catch (error) {
    throw brokenError(error, 'log tables')
  } finally {
    await connections.close()
  }
}
