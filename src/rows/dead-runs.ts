import type { LogDatabase } from './log/log-database.ts'
import type { Holder } from './run-lock.ts'

/** This host, for judging what it left open. */
export interface ThisHost {
  readonly host: string
  readonly bootId: string
  readonly startTicksOf: (pid: number) => number | undefined
}

export interface Left {
  readonly id: number
  readonly pid: number
  readonly host: string
  readonly bootId: string
  readonly startTicks: number | undefined
  readonly since: string
}

/** What an execution that never wrote its end is called. Pure. */
const deadWord = (left: Left, here: ThisHost): 'SYSTEM_REBOOT' | 'TERMINATED' =>
  left.host === here.host && left.bootId !== '' && left.bootId !== here.bootId
    ? 'SYSTEM_REBOOT'
    : 'TERMINATED'

/** Whether the process is gone: another boot, no such pid, or another process under its pid. Of another host nothing is known: false. */
const isGone = (left: Left, here: ThisHost): boolean => {
  if (left.host !== here.host) return false
  if (left.bootId !== here.bootId) return true
  const ticks = here.startTicksOf(left.pid)
  return ticks === undefined || (left.startTicks !== undefined && ticks !== left.startTicks)
}

/** Processes of a table that have written no end, the newest first. */
const leftOpen = async (database: LogDatabase, table: string): Promise<readonly Left[]> => {
  const own = database.notOfOthers('id')
  const { rows } = await database.run(
    `SELECT id, process_pid, hostname, boot_id, process_start_ticks, start_time FROM {process_logs} WHERE table_name = ? AND status = 'RUNNING'${own.sql} ORDER BY id DESC`,
    [table, ...own.values],
  )
  return rows.map((row) => ({
    id: Number(row['id']),
    pid: Number(row['process_pid']),
    host: row['hostname'] ?? '',
    bootId: row['boot_id'] ?? '',
    startTicks: row['process_start_ticks'] == null ? undefined : Number(row['process_start_ticks']),
    since: row['start_time'] ?? '',
  }))
}

export const holderOf = async (
  database: LogDatabase,
  table: string,
  here: ThisHost,
): Promise<Holder | undefined> => {
  const [left] = await leftOpen(database, table)
  return left && { host: left.host, pid: left.pid, since: left.since, isDead: isGone(left, here) }
}

/** For the holder of the table's lock: whoever is still RUNNING in the log is dead, and gets its final word. Its open batches are done again. */
export const closeDead = async (
  database: LogDatabase,
  table: string,
  here: ThisHost,
): Promise<readonly { readonly pid: number; readonly word: string }[]> => {
  const closed = []
  for (const left of await leftOpen(database, table)) {
    const word = deadWord(left, here)
    const error =
      word === 'SYSTEM_REBOOT' ? 'The system was rebooted' : 'The process ended without recording its end'
    await database.update(
      'file_processing_logs',
      { status: word, end_time: 'now', error_message: error },
      "process_log_id = ? AND status = 'PROCESSING'",
      [left.id],
    )
    await database.update(
      'process_logs',
      { status: word, end_time: 'now', error_message: error },
      "id = ? AND status = 'RUNNING'",
      [left.id],
    )
    closed.push({ pid: left.pid, word })
  }
  return closed
}
