import type { Session } from '../../sql/session.ts'
import type { Pair, Table } from '../table.ts'
import { nameOf, PARTS } from './facts-postgres.ts'
import type { Problem } from './problem.ts'

/** Whether both connections lead to one server, whatever its names are: a lock of one is seen by the other. */
export const sameServerPostgres = async (one: Session, other: Session, token: number): Promise<boolean> => {
  await one.run('SELECT pg_advisory_lock($1::int, $2::int)', [CLASS, token])
  try {
    const { rows } = await other.run(
      "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = $1::int::oid AND objid = $2::int::oid AND objsubid = 2",
      [CLASS, token],
    )
    const system = 'SELECT system_identifier::text AS id FROM pg_control_system()'
    const ids = await Promise.all([one, other].map((session) => session.run(system).catch(() => undefined)))
    return rows.length > 0 && ids[0]?.rows[0]?.['id'] === ids[1]?.rows[0]?.['id']
  } finally {
    await one.run('SELECT pg_advisory_unlock($1::int, $2::int)', [CLASS, token])
  }
}

/** Marks the advisory locks of this program. */
export const CLASS = 0x72_6f_77_73

/** The archive's server must take writes, keep what it committed, and not be fed this table by another. */
export async function* durabilityPostgres(
  archive: Session,
  { archive: kept }: Pair,
): AsyncGenerator<Problem> {
  const { rows } = await archive.run(
    "SELECT pg_is_in_recovery()::text AS standby, current_setting('fsync') AS fsync",
  )
  if (rows[0]?.['standby'] === 'true')
    yield { message: "the archive's server is a standby", cure: 'name the primary server' }
  if (rows[0]?.['fsync'] !== 'on')
    yield {
      message: "the archive's server does not write to disk (fsync is off)",
      cure: 'ALTER SYSTEM SET fsync = on',
    }
  const fed = await archive.run(`SELECT 1 FROM pg_subscription_rel WHERE srrelid IN (${PARTS})`, [
    nameOf(kept),
  ])
  if (fed.rows.length > 0)
    yield {
      message: `${kept.name} is replicated into from another server: rows that are deleted there vanish here`,
      cure: 'archive into a table that no subscription fills',
    }
}

/** Partitions that are kept in another way than their table says. */
export async function* partsPostgres(session: Session, table: Table): AsyncGenerator<Problem> {
  const { rows } = await session.run(
    `SELECT c.oid::regclass::text AS name, CASE WHEN relkind = 'f' THEN 'a foreign table' ELSE 'unlogged' END AS kind
     FROM pg_class c WHERE c.oid IN (${PARTS}) AND c.oid <> to_regclass($1) AND (relkind = 'f' OR relpersistence <> 'p')`,
    [nameOf(table)],
  )
  for (const { name, kind } of rows)
    yield {
      message: `${name ?? ''} is ${kind ?? ''}: a crash of the server may empty this partition of ${table.name}`,
      cure: 'move rows only between tables whose partitions are all permanent tables of this server',
    }
}

/** Constraints of the archive that are looked at after a statement: which row they refuse is known too late. */
export async function* deferrablePostgres(session: Session, table: Table): AsyncGenerator<Problem> {
  const { rows } = await session.run(
    `SELECT DISTINCT conname AS name FROM pg_constraint WHERE conrelid IN (${PARTS}) AND contype IN ('p', 'u', 'x') AND condeferrable`,
    [nameOf(table)],
  )
  for (const { name } of rows)
    yield {
      message: `the constraint ${name ?? ''} of ${table.schema}.${table.name} is DEFERRABLE: the row that it refuses cannot be named`,
      cure: 'make it anew as NOT DEFERRABLE',
    }
}

/** Encodings in which some characters have two codes, of which UTF-8 keeps one: their texts do not travel byte for byte. */
const TWO_CODES = /^(?:EUC_JP|MULE_INTERNAL)$/

/** The encoding of a database whose rows go through this program, to another database or to files. */
export async function* encodingPostgres(session: Session): AsyncGenerator<Problem> {
  const { rows } = await session.run("SELECT current_setting('server_encoding') AS encoding")
  const encoding = rows[0]?.['encoding'] ?? ''
  if (TWO_CODES.test(encoding))
    yield {
      message: `the database has the encoding ${encoding}, in which some characters have two codes: on their way in UTF-8 one becomes the other`,
      cure: 'archive the rows in a table of the same database',
    }
}
