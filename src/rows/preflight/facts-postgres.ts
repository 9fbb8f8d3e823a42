import type { Session } from '../../sql/session.ts'
import { messageOf } from '../../errors.ts'
import { quote } from '../dialects/postgres-columns.ts'
import type { Pair, Table } from '../table.ts'
import type { Problem } from './problem.ts'

const nameOf = ({ schema, name }: Table): string => `${quote(schema)}.${quote(name)}`

/** Children whose rows the server would delete or change by itself. */
export async function* cascadesPostgres(session: Session, { source }: Pair): AsyncGenerator<Problem> {
  const { rows } = await session.run(
    "SELECT conname, conrelid::regclass::text AS child, confdeltype AS rule FROM pg_constraint WHERE contype = 'f' AND confrelid = to_regclass($1) AND confdeltype NOT IN ('a', 'r')",
    [nameOf(source)],
  )
  const rules: Readonly<Record<string, string>> = { c: 'CASCADE', n: 'SET NULL', d: 'SET DEFAULT' }
  for (const row of rows)
    yield {
      message: `rows of ${row['child'] ?? ''} would go with their parents unarchived: ${row['conname'] ?? ''} is ON DELETE ${rules[row['rule'] ?? ''] ?? ''}`,
      cure: 'archive the children first and make the key RESTRICT',
      forceable: 'cascades',
    }
}

/** Triggers and rules that a delete or a copy would set off. */
export async function* triggersPostgres(
  session: Session,
  table: Table,
  event: 'DELETE' | 'INSERT',
): AsyncGenerator<Problem> {
  const bit = event === 'DELETE' ? 8 : 4
  const { rows } = await session.run(
    "SELECT tgname AS name FROM pg_trigger WHERE tgrelid = to_regclass($1) AND NOT tgisinternal AND tgenabled <> 'D' AND (tgtype & $2::int) > 0",
    [nameOf(table), bit],
  )
  for (const { name } of rows)
    yield {
      message: `the trigger ${name ?? ''} runs at each ${event} in ${table.schema}.${table.name}`,
      cure: 'make sure that it may run for every archived row, or drop it',
      forceable: 'triggers',
    }
  const rules = await session.run(
    'SELECT rulename AS name FROM pg_rewrite WHERE ev_class = to_regclass($1) AND ev_type = $2',
    [nameOf(table), event === 'DELETE' ? '4' : '3'],
  )
  for (const { name } of rules.rows)
    yield {
      message: `the rule ${name ?? ''} changes what ${event} does in ${table.schema}.${table.name}`,
      cure: `DROP RULE ${name ?? ''} ON ${table.schema}.${table.name}`,
    }
}

/** A table that holds, or is held by, others: a row of one is seen in both. */
export async function* inheritancePostgres(
  session: Session,
  { source, archive }: Pair,
  oneServer: boolean,
): AsyncGenerator<Problem> {
  const heirs = await session.run(
    "SELECT inhrelid::regclass::text AS name FROM pg_inherits JOIN pg_class p ON p.oid = inhparent WHERE inhparent = to_regclass($1) AND p.relkind <> 'p'",
    [nameOf(source)],
  )
  for (const { name } of heirs.rows)
    yield {
      message: `${source.name} has the child table ${name ?? ''}, whose own columns would be lost`,
      cure: 'move the rows of each table by itself',
    }
  if (!oneServer) return
  const related = await session.run(
    `WITH RECURSIVE up AS (SELECT to_regclass($1)::oid AS oid, to_regclass($2)::oid AS start UNION ALL SELECT inhparent, start FROM pg_inherits JOIN up ON inhrelid = up.oid),
      down AS (SELECT to_regclass($2)::oid AS oid UNION ALL SELECT inhparent FROM pg_inherits JOIN down ON inhrelid = down.oid)
     SELECT 1 FROM up JOIN down ON up.oid = down.oid`,
    [nameOf(source), nameOf(archive)],
  )
  if (related.rows.length > 0)
    yield {
      message: `${archive.name} and ${source.name} belong to one partitioned table: every row would be its own twin`,
      cure: 'name an archive table that stands for itself',
    }
}

/** Tries the statements of a batch on no row: what is not allowed says so. */
export async function* privilegesPostgres(
  source: Session,
  archive: Session,
  { source: live, archive: kept, columns }: Pair,
): AsyncGenerator<Problem> {
  const names = columns.map((column) => quote(column.archive.name)).join(', ')
  const tries: readonly (readonly [Session, string])[] = [
    [source, `SELECT 1 FROM ${nameOf(live)} WHERE false FOR UPDATE`],
    [source, `DELETE FROM ${nameOf(live)} WHERE false`],
    [archive, `SELECT 1 FROM ${nameOf(kept)} WHERE false FOR UPDATE`],
    [
      archive,
      `INSERT INTO ${nameOf(kept)} (${names}) OVERRIDING SYSTEM VALUE SELECT ${names} FROM ${nameOf(kept)} WHERE false`,
    ],
  ]
  for (const [session, sql] of tries) {
    const refused = await session.run(sql).then(() => undefined, messageOf)
    if (refused !== undefined)
      yield {
        message: `the database does not let this user do what a batch does: ${refused}`,
        cure: `GRANT SELECT, INSERT, UPDATE, DELETE ON the tables TO the user of the URL; row security must not hide rows`,
      }
  }
}

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
  const fed = await archive.run('SELECT 1 FROM pg_subscription_rel WHERE srrelid = to_regclass($1)', [
    nameOf(kept),
  ])
  if (fed.rows.length > 0)
    yield {
      message: `${kept.name} is replicated into from another server: rows that are deleted there vanish here`,
      cure: 'archive into a table that no subscription fills',
    }
}
