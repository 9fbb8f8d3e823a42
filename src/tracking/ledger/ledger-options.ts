import type { Log } from '../../common/log.ts'
import { redact as redactByLook, type Redact } from '../../common/redact.ts'
import type { Secret } from '../../common/secret.ts'
import { messageOf } from '../../errors.ts'
import type { Closed, Host } from './close-dead.ts'
import type { RunningFiles } from './running-files.ts'
import type { Spool } from './spool.ts'
import type { OpenStore, StoreOptions } from './ledger-database.ts'
import type { Identity } from './execution-row.ts'

export interface LedgerOptions {
  /** `ledger.url`: see sql/database-url.ts. */
  readonly url: string
  readonly password?: Secret | undefined
  /** PostgreSQL's schema for the tables. */
  readonly schema?: string
  readonly workDir: string
  readonly identity: Identity
  /** Epoch milliseconds; 0 where it is not known. */
  readonly bootTime: number
  /** What /proc says of a pid now (host.ts). */
  readonly startTicksOf: (pid: number) => number | undefined
  readonly now: () => number
  readonly log: Log
  readonly version: string
  readonly redact?: Redact
  /** Milliseconds. */
  readonly heartbeatEvery?: number
  /** Milliseconds without a heartbeat after which an execution of another host counts as dead. */
  readonly foreignSilence?: number
  /** `ledger.keep_days`: executions that ended longer ago are removed, some at each opening. 0 or nothing: none. */
  readonly keepDays?: number
  /** Called with executions that were found to have disappeared. */
  readonly onClosed?: (closed: readonly Closed[]) => void
}

/** Old executions that one start removes. */
const PRUNE_AT_ONCE = 100

/** This host, for judging what it has left open. */
export const hostOf = (options: LedgerOptions): Host => {
  const {
    identity,
    bootTime,
    startTicksOf,
    now,
    foreignSilence = 3_600_000,
    heartbeatEvery = 15_000,
  } = options
  const { host, bootId } = identity
  // Whoever cannot see the first process of all cannot see those of others (hidepid, ProtectProc).
  const seesOthers = startTicksOf(1) !== undefined
  const silences = { silence: foreignSilence, quiet: 3 * heartbeatEvery }
  return { host, bootId, bootTime, startTicksOf, seesOthers, now: now(), ...silences }
}

/**
 * Puts the ledger in order when it is opened: what was left in work_dir is written, executions that disappeared are
 * judged and reported, old executions are removed. Gives those that were judged.
 */
export const settle = async (
  store: OpenStore,
  files: RunningFiles,
  options: LedgerOptions,
  self: string,
): Promise<readonly Closed[]> => {
  const { closeOpen } = await import('./close-dead.ts')
  const { prune } = await import('./prune.ts')
  const { now, identity, log, onClosed, keepDays = 0 } = options
  const left = files.left(hostOf(options))
  const idle = files.idleRows(identity.host)
  await store.write([...left, ...idle])
  if (idle.length > 0) files.forgetIdle(now())
  const closed = await closeOpen(store.database, hostOf(options), self)
  for (const { cells } of left) files.remove(String(cells['run_id']))
  for (const { pid, status, reason } of closed)
    log.warn(`Marked incomplete process ${pid} as ${status}: ${reason}`)
  if (closed.length > 0) onClosed?.(closed)
  await prune(store.database, { keepDays, now: now(), limit: PRUNE_AT_ONCE })
  return closed
}

/** Keeps rows that the ledger refuses in the spool's file for them, and warns of the first. */
export const refusing = (
  spool: Spool,
  { log, redact = redactByLook }: Pick<LedgerOptions, 'log' | 'redact'>,
): StoreOptions['onRefused'] => {
  return (row, error) => {
    spool.refuse(row)
    if (spool.refused === 1)
      log.warn(
        `The ledger refuses a row of "${row.table}": ${redact(messageOf(error))}; such rows are kept in ${spool.refusedPath}`,
      )
  }
}
