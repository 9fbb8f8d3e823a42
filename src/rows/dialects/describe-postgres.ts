import type { Session, Statement } from '../../sql/session.ts'
import { askShape } from '../shape.ts'
import type { Column, Table } from '../table.ts'

const KINDS: Readonly<Record<string, string>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
}
const PERSISTENCE: Readonly<Record<string, string>> = { p: 'permanent', u: 'unlogged', t: 'temporary' }

/** Names as they are written in the catalogue: `table` (by the search path) or `schema.table`, never folded. */
const regclass = (name: string): string =>
  name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.')

/** A table with its partitions, as object numbers. */
const PARTS = 'SELECT own.oid UNION SELECT relid FROM pg_partition_tree(own.oid)'

/**
 * The statement that gives a table's shape. In a transaction that has used the table nobody can change it any more. Partitions may come and go: of
 * them count those that are kept in another way, and triggers and foreign keys that only they have.
 */
const shapePostgres = (schema: string, name: string): Statement => ({
  sql: `WITH own AS MATERIALIZED (SELECT to_regclass($1)::oid AS oid)
    SELECT (SELECT concat_ws('|', oid, relkind, relpersistence, relrowsecurity) FROM pg_class WHERE pg_class.oid = own.oid) AS kind,
     (SELECT string_agg(concat_ws('|', attnum, attname, format_type(atttypid, atttypmod), attgenerated), ',' ORDER BY attnum)
       FROM pg_attribute WHERE attrelid = own.oid AND attnum > 0 AND NOT attisdropped) AS columns,
     (SELECT string_agg(concat(tgname, tgenabled), ',' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = own.oid) AS triggers,
     (SELECT string_agg(concat(rulename, ev_enabled), ',' ORDER BY rulename) FROM pg_rewrite WHERE ev_class = own.oid) AS rules,
     (SELECT string_agg(inhrelid::text, ',' ORDER BY inhrelid) FROM pg_inherits
       WHERE inhparent = own.oid AND (SELECT relkind FROM pg_class WHERE pg_class.oid = own.oid) <> 'p') AS heirs,
     (SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_class WHERE pg_class.oid IN (${PARTS}) AND (relkind = 'f' OR relpersistence <> 'p')) AS odd_parts,
     (SELECT string_agg(DISTINCT concat(tgname, tgenabled), ',') FROM pg_trigger WHERE tgrelid IN (${PARTS}) AND NOT tgisinternal) AS part_triggers,
     (SELECT string_agg(conname::text, ',' ORDER BY oid) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND confrelid IN (${PARTS})) AS keys
    FROM own`,
  parameters: [regclass(`${schema}.${name}`)],
})

/** Looks a table up; undefined: there is none of this name. */
export const describePostgres = async (session: Session, name: string): Promise<Table | undefined> => {
  const found = await session.run(
    'SELECT c.oid::text AS oid, n.nspname AS s, c.relname AS t, c.relkind AS kind, c.relpersistence AS kept FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)',
    [regclass(name)],
  )
  const row = found.rows[0]
  if (!row) return undefined
  const shape = await askShape(session, [shapePostgres(row['s'] ?? '', row['t'] ?? '')])
  const columns = await session.run(
    `SELECT a.attname AS name, t.typname AS type, format_type(a.atttypid, a.atttypmod) AS full, tn.nspname AS typeschema,
      NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS nullable, (a.atthasdef OR a.attidentity <> '' OR NOT a.attnotnull) AS hasdefault,
      a.attgenerated <> '' AS generated, a.attidentity AS identity, a.atttypmod AS typmod,
      CASE WHEN co.collnamespace = 'pg_catalog'::regnamespace THEN co.collname ELSE concat(co.collnamespace::regnamespace, '.' || co.collname) END AS collation,
      CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END AS expression
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace tn ON tn.oid = t.typnamespace
     LEFT JOIN pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [row['oid']],
  )
  const key = await session.run(
    `SELECT a.attname AS name FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(num, at)
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num
     WHERE i.indrelid = $1::oid AND i.indisprimary AND k.at <= i.indnkeyatts ORDER BY k.at`,
    [row['oid']],
  )
  return {
    schema: row['s'] ?? '',
    name: row['t'] ?? '',
    kind: KINDS[row['kind'] ?? ''] ?? 'other relation',
    engine: PERSISTENCE[row['kept'] ?? ''] ?? '',
    columns: columns.rows.map(columnOf),
    key: key.rows.map(({ name: column }) => column ?? ''),
    shape,
  }
}

const columnOf = (row: Readonly<Record<string, string | null>>): Column => {
  const type = row['type'] ?? ''
  const full = row['full'] ?? ''
  const typmod = Number(row['typmod'] ?? -1)
  const isText = type === 'varchar' || type === 'bpchar'
  const isNumeric = type === 'numeric' && typmod >= 0
  const isTime = /^time/.test(type)
  return {
    name: row['name'] ?? '',
    type,
    fullType: full,
    nullable: row['nullable'] === 't',
    hasDefault: row['hasdefault'] === 't',
    generated: row['generated'] === 't',
    expression: row['expression'] ?? undefined,
    length: isText && typmod >= 4 ? typmod - 4 : undefined,
    octets: undefined,
    precision: isNumeric ? ((typmod - 4) >> 16) & 0xffff : isTime ? (typmod < 0 ? 6 : typmod) : undefined,
    scale: isNumeric ? (typmod - 4) & 0xffff : undefined,
    unsigned: false,
    charset: undefined,
    collation: row['collation'] || undefined,
  }
}

/** The table itself and, of a view, all tables that it reads, as object numbers of the database. Other rules of a table are no reading. */
export const basesPostgres = async (
  session: Session,
  { schema, name }: Table,
): Promise<readonly string[]> => {
  const { rows } = await session.run(
    `WITH RECURSIVE base AS (SELECT to_regclass($1)::oid AS oid UNION SELECT d.refobjid FROM base
      JOIN pg_rewrite r ON r.ev_class = base.oid AND r.ev_type = '1' JOIN pg_depend d ON d.objid = r.oid AND d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass)
     SELECT oid::text AS oid FROM base`,
    [`"${schema.replaceAll('"', '""')}"."${name.replaceAll('"', '""')}"`],
  )
  return rows.map(({ oid }) => oid ?? '')
}
