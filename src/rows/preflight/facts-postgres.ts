import type { Session } from '../../sql/session.ts'
import { messageOf } from '../../errors.ts'
import { quote } from '../dialects/postgres-columns.ts'
import type { Pair, Table } from '../table.ts'
import { CHILDREN_CURE, SELF_CURE, type Problem, type Surroundings } from './problem.ts'

export const nameOf = ({ schema, name }: Table): string => `${quote(schema)}.${quote(name)}`

/** A name as a statement has it, with quotes only where it needs them. */
const written = (name: string | null | undefined): string =>
  /^[a-z_][a-z\d_]*$/.test(name ?? '') ? (name ?? '') : quote(name ?? '')

/** A table with its partitions, as object numbers. */
export const PARTS =
  'SELECT to_regclass($1)::oid AS oid UNION SELECT relid FROM pg_partition_tree(to_regclass($1))'

/** Children whose rows the server would delete or change by itself, also where they refer to a partition or to what the table is a partition of. */
export async function* cascadesPostgres(
  session: Session,
  { source }: Pair,
  { named, archives }: Surroundings,
  oneServer: boolean,
): AsyncGenerator<Problem> {
  // Children that are named have no row left when their parents go; by their only key to this table, as was looked at.
  const { rows } = await session.run(
    `SELECT conname, conrelid::regclass::text AS child, confdeltype AS rule, conrelid IN (SELECT to_regclass(a) FROM unnest($2::text[]) a) AS own, conrelid = to_regclass($1) AS self FROM pg_constraint
     WHERE conrelid NOT IN (SELECT to_regclass(n) FROM unnest($3::text[]) n WHERE to_regclass(n) IS NOT NULL) AND contype = 'f' AND conparentid = 0 AND confdeltype NOT IN ('a', 'r')
      AND confrelid IN (${PARTS} UNION SELECT relid FROM pg_partition_ancestors(to_regclass($1)))`,
    [nameOf(source), archives.map(nameOf), named.map(nameOf)],
  )
  const rules: Readonly<Record<string, string>> = { c: 'CASCADE', n: 'SET NULL', d: 'SET DEFAULT' }
  for (const row of rows)
    if (oneServer && row['own'] === 't')
      yield {
        message: `the archive's own rows would go with the live ones: ${row['conname'] ?? ''} is ON DELETE ${rules[row['rule'] ?? ''] ?? ''}`,
        cure: `ALTER TABLE ${row['child'] ?? ''} DROP CONSTRAINT ${written(row['conname'])}`,
      }
    else
      yield {
        message: `rows of ${row['child'] ?? ''} would go with their parents unarchived: ${row['conname'] ?? ''} is ON DELETE ${rules[row['rule'] ?? ''] ?? ''}`,
        cure: row['self'] === 't' ? SELF_CURE : CHILDREN_CURE,
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
    `SELECT DISTINCT ON (tgname) tgname AS name, n.nspname || '.' || c.relname AS place FROM pg_trigger
      JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE tgrelid IN (${PARTS}) AND NOT tgisinternal AND tgenabled <> 'D' AND (tgtype & $2::int) > 0
      ORDER BY tgname, (tgrelid = to_regclass($1)) DESC`,
    [nameOf(table), bit],
  )
  for (const { name, place } of rows)
    yield {
      message: `the trigger ${name ?? ''} runs at each ${event} in ${place ?? ''}`,
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
      cure: `DROP RULE ${written(name)} ON ${table.schema}.${table.name}`,
    }
}

const heirsOf = async (session: Session, table: Table): Promise<readonly string[]> => {
  const { rows } = await session.run(
    "SELECT inhrelid::regclass::text AS name FROM pg_inherits JOIN pg_class p ON p.oid = inhparent WHERE inhparent = to_regclass($1) AND p.relkind <> 'p'",
    [nameOf(table)],
  )
  return rows.map(({ name }) => name ?? '')
}

/** Tables that inherit from a live one: their rows are seen in it, without their own columns. */
export async function* heirsPostgres(session: Session, source: Table): AsyncGenerator<Problem> {
  for (const name of await heirsOf(session, source))
    yield {
      message: `${source.name} has the child table ${name}, whose own columns would be lost`,
      cure: 'move the rows of each table by itself',
    }
}

/** A table that holds, or is held by, others: a row of one is seen in both. */
export async function* inheritancePostgres(
  session: Session,
  other: Session,
  { source, archive }: Pair,
  oneServer: boolean,
): AsyncGenerator<Problem> {
  yield* heirsPostgres(session, source)
  for (const name of await heirsOf(other, archive))
    yield {
      message: `${archive.name} has the child table ${name}, whose rows would count as archived: it may even lead back to the live rows`,
      cure: 'name an archive table that stands for itself',
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

/** A role may be set to skip triggers, and with them its foreign keys: children would stay without their parents. */
export async function* sessionPostgres(session: Session): AsyncGenerator<Problem> {
  const { rows } = await session.run("SELECT current_setting('session_replication_role') AS role")
  if (rows[0]?.['role'] !== 'origin')
    yield {
      message: `the user of the URL has session_replication_role = ${rows[0]?.['role'] ?? ''}: no foreign key would be checked`,
      cure: 'ALTER ROLE ... RESET session_replication_role',
    }
}

/** Tries the statements of a batch on no row: what is not allowed says so. Without an archive those that an archive of files needs. */
export async function* privilegesPostgres(
  source: Session,
  archive: Session | undefined,
  { source: live, archive: kept, columns }: Pair,
): AsyncGenerator<Problem> {
  const names = columns.map((column) => quote(column.archive.name)).join(', ')
  const tries: (readonly [Session, string])[] = [
    [source, `SELECT 1 FROM ${nameOf(live)} WHERE false FOR UPDATE`],
    [source, `DELETE FROM ${nameOf(live)} WHERE false`],
  ]
  if (archive)
    tries.push(
      [archive, `SELECT 1 FROM ${nameOf(kept)} WHERE false FOR UPDATE`],
      [
        archive,
        `INSERT INTO ${nameOf(kept)} (${names}) OVERRIDING SYSTEM VALUE SELECT ${names} FROM ${nameOf(kept)} WHERE false`,
      ],
    )
  for (const [session, sql] of tries) {
    const refused = await session.run(sql).then(() => undefined, messageOf)
    if (refused !== undefined)
      yield {
        message: `the database does not let this user do what a batch does: ${refused}`,
        cure: `GRANT SELECT, INSERT, UPDATE, DELETE ON the tables TO the user of the URL; row security must not hide rows`,
      }
  }
}
