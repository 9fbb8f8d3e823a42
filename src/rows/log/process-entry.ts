import { messageWithCode } from '../../errors.ts'
import { closeDead, holderOf } from '../dead-runs.ts'
import { type RowsOptions, type RowsStatus, sleep, terminatedText } from '../options.ts'
import type { RunConnections } from '../run-connections.ts'
import { acquireTableLock } from '../run-lock.ts'
import { fullNameOf, type Table } from '../table.ts'
import type { RowsLog } from './rows-log.ts'

/** How an execution is named in `process_logs.process_type`: only executions of one type resume each other. */
export const TYPES = { move: 'ARCHIVE', copy: 'COPY', verify: 'VERIFY', try: 'TRY' } as const

/** The files of a run; a condition is one. */
const stepsOf = ({ files, where }: RowsOptions): number => (where === undefined ? files.length : 1)

/** Takes the table's lock, gives dead processes their final word, and begins this one in the log. */
export const beginLog = async (
  options: RowsOptions,
  connections: RunConnections,
  table: Table,
  archive: string,
): Promise<RowsLog> => {
  const log = await connections.openLog()
  const name = fullNameOf(table)
  await log.database.prepare()
  await acquireTableLock(connections.source, table, {
    holder: () => holderOf(log.database, name, options.here),
    sleep: (ms) => sleep(ms, options.signal),
  })
  const closed = await closeDead(log.database, name, options.here)
  await log.begin(options.self, {
    table: name,
    archive,
    archiveServer: connections.archiveServer,
    type: TYPES[options.mode],
    files: stepsOf(options),
    batchSize: options.batchSize === 'auto' ? 0 : options.batchSize,
    runId: options.runId,
  })
  options.listener({ type: 'started', id: log.id, table: name, files: stepsOf(options) })
  for (const { pid, word } of closed) options.listener({ type: 'closed-dead', pid, word })
  return log
}

/** Writes the end, over a new connection where the last one is gone. Where that fails too, the next start finds the process dead. */
export const endLog = async (
  options: RowsOptions,
  connections: RunConnections,
  status: RowsStatus,
  why: Error | string | undefined,
): Promise<void> => {
  const { signal, self, warn } = options
  if (!connections.log) return
  const message =
    status === 'KILLED'
      ? terminatedText(String(signal.reason), self.pid)
      : why instanceof Error
        ? options.redact(messageWithCode(why))
        : (why ?? null)
  if (signal.aborted) options.listener({ type: 'killed', signal: String(signal.reason) })
  const write = (): Promise<void> => connections.log?.end(status, message) ?? Promise.resolve()
  await write()
    .catch(async () => {
      await connections.reopenLog()
      await write()
    })
    .catch((error: unknown) =>
      warn(`the end could not be written into the log tables: ${messageWithCode(error)}`),
    )
}
