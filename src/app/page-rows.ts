import type { Archiver } from '../runs/archiver.ts'
import { LogDatabase } from '../rows/log/log-database.ts'
import { rowsOverview, rowsRevision } from '../rows/log/log-reads.ts'
import { logSchema } from '../rows/run-connections.ts'
import { connect, type Connections, dialectFor, type Places } from '../rows/server.ts'
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
  const kept: KeptOpen<Opened> = keptOpen(
    async () => {
      const { source, log } = placesOf(config)
      const connections = await connect({ source, log, archive: undefined })
      let found: LogDatabase | undefined
      return {
        // The first run makes them, while somebody may be waiting for it on the page: they are looked for until they are there.
        log: async () => (found ??= await logOf(connections, name)),
        close: () => connections.close(),
      }
    },
    ({ close }) => close(),
  )
  return {
    reads: () =>
      kept.use(async ({ log }) => {
        const there = await log()
        if (!there) return undefined
        return {
          ...(await rowsOverview(there)),
          maxLag: throttle.maxReplicaLagSeconds,
          maxHistoryList: throttle.maxHll,
        }
      }),
    revision: () =>
      kept.use(async ({ log }) => {
        const there = await log()
        return there ? rowsRevision(there) : ''
      }),
    close: () => kept.close(),
  }
}

interface Opened {
  /** The log tables; undefined while there are none. */
  readonly log: () => Promise<LogDatabase | undefined>
  readonly close: () => Promise<void>
}

const logOf = async (connections: Connections, name: string): Promise<LogDatabase | undefined> => {
  const table = await dialectFor(connections.source).describe(connections.source, name)
  if (!table) return undefined
  const found = new LogDatabase(connections.log, await logSchema(connections, table))
  // Views of these names are the ledger's own: no rows were moved.
  return (await found.exists()) && (await found.views()).length === 0 ? found : undefined
}
