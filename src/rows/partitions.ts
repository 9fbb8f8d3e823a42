import type { Session } from '../sql/session.ts'
import type { Dialect } from './dialects/dialect.ts'
import { IdList } from './id-list.ts'
import type { RowsOptions } from './options.ts'
import { keyText, type Pair, type Table } from './table.ts'

/** A partition of a live table whose rows could leave it by the partition's definition alone. */
export interface Partition {
  readonly name: string
  /** What stands behind FROM for its rows. */
  readonly from: string
}

/** Partitions by ranges and lists. None of a table that is not partitioned so. */
const partitionsOf = async (
  session: Session,
  dialect: Dialect,
  { schema, name }: Table,
): Promise<readonly Partition[]> => {
  const quote = (text: string): string => dialect.quote(text)
  if (session.dialect === 'mysql') {
    const { rows } = await session.run(
      `SELECT DISTINCT PARTITION_NAME AS name FROM information_schema.PARTITIONS
       WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND (PARTITION_METHOD LIKE 'RANGE%' OR PARTITION_METHOD LIKE 'LIST%')`,
      [schema, name],
    )
    return rows.map(({ name: part }) => ({
      name: part ?? '',
      from: `${quote(schema)}.${quote(name)} PARTITION (${quote(part ?? '')})`,
    }))
  }
  const { rows } = await session.run(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_partition_tree(to_regclass($1)) p JOIN pg_class c ON c.oid = p.relid
     JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_partitioned_table t ON t.partrelid = p.parentrelid
     WHERE p.isleaf AND p.level > 0 AND t.partstrat <> 'h'`,
    [`${quote(schema)}.${quote(name)}`],
  )
  return rows.map((row) => ({
    name: row['name'] ?? '',
    from: `${quote(row['schema'] ?? '')}.${quote(row['name'] ?? '')}`,
  }))
}

const some = async (session: Session, sql: string): Promise<boolean> =>
  (await session.run(`${sql} LIMIT 1`)).rows.length > 0

/** The partitions that have rows. */
const filledPartitions = async (
  session: Session,
  dialect: Dialect,
  table: Table,
): Promise<readonly Partition[]> => {
  const filled: Partition[] = []
  for (const partition of await partitionsOf(session, dialect, table))
    if (await some(session, `SELECT 1 FROM ${partition.from}`)) filled.push(partition)
  return filled
}

/** Those that have rows when a run begins. Only a hint comes from it: where they cannot be read there are none. */
export const partitionsBefore = (
  session: Session,
  dialect: Dialect,
  table: Table,
): Promise<readonly Partition[]> => filledPartitions(session, dialect, table).catch(() => [])

/** Those of the partitions that have no row any more; the same holds for them. */
export const emptied = async (session: Session, before: readonly Partition[]): Promise<readonly string[]> => {
  const names: string[] = []
  for (const { name, from } of before)
    if (!(await some(session, `SELECT 1 FROM ${from}`).catch(() => true))) names.push(name)
  return names
}

/** Ids up to which they are held in memory, to see whether a partition has others. */
const HELD = 1_000_000
const PAGE = 5000

/** The partitions all of whose rows the ids or the condition of a run name, before it moves them. Of more than a million ids it says nothing. */
export const wholePartitions = async (
  session: Session,
  dialect: Dialect,
  pair: Pair,
  { files, where, list }: Pick<RowsOptions, 'files' | 'where' | 'list'>,
): Promise<readonly string[]> => {
  const filled = await filledPartitions(session, dialect, pair.source)
  const names: string[] = []
  if (where !== undefined) {
    for (const { name, from } of filled)
      if (!(await some(session, `SELECT 1 FROM ${from} WHERE (${where}\n) IS NOT TRUE`))) names.push(name)
    return names
  }
  const ids = filled.length > 0 ? await idsOf(files, { ...list, key: pair.key }) : undefined
  for (const partition of ids === undefined ? [] : filled)
    if (await isAmong(session, dialect, pair, partition, ids ?? new Set())) names.push(partition.name)
  return names
}

const idsOf = async (
  files: readonly string[],
  list: Parameters<typeof IdList.open>[1],
): Promise<ReadonlySet<string> | undefined> => {
  const ids = new Set<string>()
  for (const path of files) {
    const file = await IdList.open(path, list)
    try {
      for await (const group of file.groups()) {
        for (const { key } of group) ids.add(keyText(key))
        if (ids.size > HELD) return undefined
      }
    } finally {
      await file.close()
    }
  }
  return ids
}

/** Walks the partition along the key, up to the first row that is not among the ids. */
const isAmong = async (
  session: Session,
  dialect: Dialect,
  pair: Pair,
  { from }: Partition,
  ids: ReadonlySet<string>,
): Promise<boolean> => {
  for (let last: readonly string[] | undefined; ;) {
    const keys = await dialect.nextKeys(session, pair, last, PAGE, from)
    if (!keys.every((key) => ids.has(keyText(key)))) return false
    if (keys.length < PAGE) return true
    last = keys.at(-1)
  }
}
