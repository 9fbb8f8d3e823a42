import type { Archiver } from '../runs/archiver.ts'
import { LogDatabase } from '../rows/log/log-database.ts'
import { rowsOverview, rowsRevision } from '../rows/log/log-reads.ts'
import { logSchema } from '../rows/run-connections.ts'
import { connect, dialectFor, type Places } from '../rows/server.ts'
import type { RowsReads } from '../web/models/rows.ts'
import { keptOpen, type KeptOpen } from './kept-open.ts'

export interface PageRows {
  readonly reads: RowsReads
  readonly revision: () => Promise<string>
  close(): Promise<void>
}

/** The log tables of rows, looked at and never made. Undefined where rows are not configured. */
export const pageRows = (
  archiver: Archiver | undefined,
  placesOf: (config: Archiver['config']) => Places,
): PageRows | undefined => {
  if (!archiver) return undefined
  const { config } = archiver
  const { table: name, throttle } = config.rows
  if (config.rows.source === undefined || name === '') return undefined
  const kept: KeptOpen<{ readonly log: LogDatabase | undefined; readonly close: () => Promise<void> }> =
    keptOpen(
      async () => {
        const { source, log } = placesOf(config)
        const connections = await connect({ source, log, archive: undefined })
        try {
          const table = await dialectFor(connections.source).describe(connections.source, name)
          const found = table && new LogDatabase(connections.log, await logSchema(connections, table))
          // Views of these names are the ledger's own: no rows were moved.
          const isThere = found && (await found.exists()) && (await found.views()).length === 0
          return { log: isThere ? found : undefined, close: () => connections.close() }
        } catch (error) {
          connections.destroy()
          throw error
        }
      },
      ({ close }) => close(),
    )
  return {
    reads: () =>
      kept.use(async ({ log }) => {
        if (!log) return undefined
        return {
          ...(await rowsOverview(log)),
          maxLag: throttle.maxReplicaLagSeconds,
          maxHistoryList: throttle.maxHll,
        }
      }),
    revision: () => kept.use(async ({ log }) => (log ? rowsRevision(log) : '')),
    close: () => kept.close(),
  }
}
