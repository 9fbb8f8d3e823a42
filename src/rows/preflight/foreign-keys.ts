import type { Result, Session } from '../../sql/session.ts'
import { quote } from '../dialects/postgres-columns.ts'
import type { Table } from '../table.ts'

/** A foreign key of the server: columns of the child, and what each refers to. */
export interface ForeignKey {
  readonly name: string
  readonly columns: readonly string[]
  readonly references: readonly string[]
  /** Whether the server looks at every row that comes in. */
  readonly isEnforced: boolean
}

const MYSQL = `SELECT CONSTRAINT_NAME AS name, COLUMN_NAME AS c, REFERENCED_COLUMN_NAME AS r, 't' AS enforced FROM information_schema.KEY_COLUMN_USAGE
 WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND BINARY REFERENCED_TABLE_SCHEMA = ? AND BINARY REFERENCED_TABLE_NAME = ?
 ORDER BY CONSTRAINT_NAME, ORDINAL_POSITION`

const POSTGRES = `SELECT f.conname AS name, c.attname AS c, r.attname AS r,
  (to_jsonb(f)->>'conenforced' IS DISTINCT FROM 'false'
   AND NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgconstraint = f.oid AND t.tgenabled NOT IN ('O', 'A'))) AS enforced
 FROM pg_constraint f CROSS JOIN LATERAL unnest(f.conkey, f.confkey) WITH ORDINALITY AS k(own, other, at)
 JOIN pg_attribute c ON c.attrelid = f.conrelid AND c.attnum = k.own JOIN pg_attribute r ON r.attrelid = f.confrelid AND r.attnum = k.other
 WHERE f.contype = 'f' AND f.conparentid = 0 AND f.conrelid = to_regclass($1) AND f.confrelid = to_regclass($2) ORDER BY f.conname, k.at`

/** The name of an index of MariaDB or MySQL that begins with these columns, as there is one for every foreign key. */
export const indexOver = async (
  session: Session,
  { schema, name }: Table,
  columns: readonly string[],
): Promise<string | undefined> => {
  if (session.dialect !== 'mysql') return undefined
  const { rows } = await session.run(
    `SELECT INDEX_NAME AS name FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND SEQ_IN_INDEX <= ?
      GROUP BY INDEX_NAME HAVING GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX SEPARATOR '/') = ? ORDER BY INDEX_NAME <> 'PRIMARY'`,
    [schema, name, columns.length, columns.join('/')],
  )
  return rows[0]?.['name'] ?? undefined
}

const keysOf = ({ rows }: Result): readonly ForeignKey[] => {
  const keys = new Map<string, ForeignKey>()
  for (const { name, c, r, enforced } of rows) {
    const { columns = [], references = [] } = keys.get(name ?? '') ?? {}
    keys.set(name ?? '', {
      name: name ?? '',
      columns: [...columns, c ?? ''],
      references: [...references, r ?? ''],
      isEnforced: enforced === 't',
    })
  }
  return [...keys.values()]
}

/** The foreign keys of one table to another, or to itself. */
export const foreignKeysBetween = async (
  session: Session,
  child: Table,
  parent: Table,
): Promise<readonly ForeignKey[]> => {
  if (session.dialect === 'mysql')
    return keysOf(await session.run(MYSQL, [child.schema, child.name, parent.schema, parent.name]))
  const name = (table: Table): string => `${quote(table.schema)}.${quote(table.name)}`
  return keysOf(await session.run(POSTGRES, [name(child), name(parent)]))
}
