import { createHash } from 'node:crypto'
import { ArchiverError } from '../errors.ts'
import type { Session } from '../sql/session.ts'
import type { Table } from './table.ts'
import { CLASS } from './preflight/server-postgres.ts'

/** The name under which one process works on a table. MySQL takes 64 characters. */
export const lockName = ({ schema, name }: Table): string => {
  const whole = `archiver:${schema}.${name}`
  if (whole.length <= 64) return whole
  return `archiver:${createHash('sha256').update(whole).digest('hex').slice(0, 40)}`
}

const number = (name: string): number => createHash('sha256').update(name).digest().readInt32BE(0)

/** Takes the lock for as long as this connection lives; the server frees it when the process dies. False: another session has it. */
export const takeLock = async (session: Session, name: string): Promise<boolean> => {
  if (session.dialect === 'mysql') {
    const { rows } = await session.run('SELECT GET_LOCK(?, 0) AS taken', [name])
    return rows[0]?.['taken'] === '1'
  }
  const { rows } = await session.run('SELECT pg_try_advisory_lock($1::int, $2::int) AS taken', [
    CLASS,
    number(name),
  ])
  return rows[0]?.['taken'] === 't'
}

export interface Holder {
  readonly host: string
  readonly pid: number
  readonly since: string
  /** On this host, and gone. */
  readonly isDead: boolean
}

export interface LockOptions {
  /** Who the log tables say is at work on the table. */
  readonly holder: () => Promise<Holder | undefined>
  readonly sleep: (ms: number) => Promise<void>
}

/** How long the server may take to notice that a dead process's connection is gone. */
const PATIENCE = 5000
const EVERY = 100

/** Takes the lock, or throws LOCK_HELD with the holder's host and pid. Waits up to 5 s for that of a process that is dead. */
export const acquireTableLock = async (
  session: Session,
  table: Table,
  { holder, sleep }: LockOptions,
): Promise<void> => {
  const name = lockName(table)
  for (let waited = 0; ; waited += EVERY) {
    if (await takeLock(session, name)) return
    const other = await holder()
    if (other?.isDead === true && waited < PATIENCE) {
      await sleep(EVERY)
      continue
    }
    const who = other ? `process ${other.pid} on ${other.host}, since ${other.since}` : 'another session'
    throw new ArchiverError('LOCK_HELD', `rows of ${table.schema}.${table.name} are being moved by ${who}`, {
      hint: 'one process at a time works on a table; run-archiver rows status shows it',
    })
  }
}
