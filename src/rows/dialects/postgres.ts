import type { Session } from '../../sql/session.ts'
import { andWhere, keyText, type Child, type Key, type Pair, type Table } from '../table.ts'
import { basesPostgres, describePostgres } from './describe-postgres.ts'
import { isUnchanged, questionsOf } from '../shape.ts'
import type { Dialect, Leftover, RowTexts, Side } from './dialect.ts'
import { comparable, exactText, identical, keyList, keyValue, quote } from './postgres-columns.ts'

const nameOf = ({ schema, name }: Table): string => `${quote(schema)}.${quote(name)}`

const names = (pair: Pair): string => pair.columns.map(({ archive }) => quote(archive.name)).join(', ')

const values = (pair: Pair, alias: string): string =>
  pair.columns.map(({ source }) => `${alias}.${quote(source.name)}`).join(', ')

const sameKey = ({ key }: Pair): string =>
  key.map(({ name }) => `d.${quote(name)} = s.${quote(name)}`).join(' AND ')

const sideOf = (pair: Pair, side: Side): Table => (side === 'source' ? pair.source : pair.archive)

/** A row's values side by side. */
const wholeRow = (pair: Pair, side: Side, alias: string): string =>
  `ROW(${pair.columns.map((column) => comparable(column)(side, alias)).join(', ')})`

const insertFrom = (pair: Pair, from: string, returning: string): string =>
  `INSERT INTO ${nameOf(pair.archive)} AS d (${names(pair)}) OVERRIDING SYSTEM VALUE ${from} ON CONFLICT DO NOTHING RETURNING ${returning}`

/**
 * One statement that deletes, copies, and says how many of the deleted rows are identical, byte for byte, to what was stored. A full join is
 * never a nested loop, however wrong the planner's guesses are.
 */
const moveStatement = (pair: Pair, keySql: string): string =>
  `WITH x AS (DELETE FROM ${nameOf(pair.source)} s WHERE ${keySql}${andWhere(pair)} RETURNING ${values(pair, 's')}),
 i AS (${insertFrom(pair, `SELECT ${values(pair, 'x')} FROM x`, names(pair))})
SELECT (SELECT count(*) FROM x) AS deleted, (SELECT count(*) FROM i) AS stored,
 (SELECT count(*) FILTER (WHERE record_image_eq(${wholeRow(pair, 'source', 'x')}, ${wholeRow(pair, 'archive', 'i')}))
  FROM x FULL JOIN i ON ${pair.key.map(({ name }) => `x.${quote(name)} = i.${quote(name)}`).join(' AND ')}) AS same`

/** Copies what has no twin. Of texts, a twin that only the collation calls equal must be an error that names it. */
const copyStatement = (pair: Pair, keySql: string): string =>
  `INSERT INTO ${nameOf(pair.archive)} (${names(pair)}) OVERRIDING SYSTEM VALUE
SELECT ${values(pair, 's')} FROM ${nameOf(pair.source)} s WHERE ${keySql}${andWhere(pair)}
${pair.key.some(({ type }) => type === 'text') ? '' : ` AND NOT EXISTS (SELECT 1 FROM ${nameOf(pair.archive)} d WHERE ${sameKey(pair)})`} FOR UPDATE OF s`

const deleteStatement = (pair: Pair, keySql: string): string =>
  `DELETE FROM ${nameOf(pair.source)} s USING ${nameOf(pair.archive)} d WHERE ${sameKey(pair)} AND ${keySql}
 AND ${pair.columns.map(identical).join('\n AND ')}`

const selectKeys = (pair: Pair, alias: string, as = 'k'): string =>
  pair.key.map((column, at) => `${keyValue(alias, column)} AS ${as}${at}`).join(', ')

const keyOf = (pair: Pair, row: Readonly<Record<string, string | null>>, as = 'k'): Key =>
  pair.key.map((_column, at) => row[`${as}${at}`] ?? '')

/** The children of locked parents. */
const childRows = (pair: Pair, { pair: child, refers }: Child, keySql: string): string =>
  `SELECT ${selectKeys(child, 'c')}, ${selectKeys(pair, 'p', 'p')} FROM ${nameOf(pair.source)} p
 JOIN ${nameOf(child.source)} c ON ${pair.key.map(({ name }, at) => `c.${quote(refers[at] ?? '')} = p.${quote(name)}`).join(' AND ')}
 WHERE ${keySql}`

const changed = async (
  session: Session,
  pair: Pair,
  keys: readonly Key[],
  statement: (pair: Pair, keySql: string) => string,
): Promise<number> => {
  if (keys.length === 0) return 0
  const list = keyList(pair.key, keys)
  return (await session.run(statement(pair, list.sql('s')), list.parameters)).affected
}

const condition = (pair: Pair, side: Side): string => (side === 'source' ? andWhere(pair) : '')

/** PostgreSQL. */
export const postgres: Dialect = {
  quote,
  describe: describePostgres,
  basesOf: basesPostgres,
  begin: (session) => session.run('BEGIN'),
  moveAll: async (session, pair, keys) => {
    const list = keyList(pair.key, keys)
    const move = { sql: moveStatement(pair, list.sql('s')), parameters: list.parameters }
    const sent = [{ sql: 'BEGIN' }, move, ...questionsOf(pair)]
    const [, result, ...shapes] = await session.runAll(sent)
    const { deleted, stored, same } = result?.rows[0] ?? {}
    return (
      [deleted, stored, same].every((count) => count === String(keys.length)) && isUnchanged(pair, shapes)
    )
  },
  copyAll: async (session, pair, keys) => (await changed(session, pair, keys, copyStatement)) === keys.length,
  countLive: async (session, pair) => {
    const { rows } = await session.run(
      `SELECT count(*) AS n FROM ${nameOf(pair.source)} t WHERE true${andWhere(pair)}`,
    )
    return Number(rows[0]?.['n'])
  },
  nextKeys: async (session, pair, last, limit, from = nameOf(pair.source)) => {
    const order = pair.key.map(({ name }) => `t.${quote(name)}`).join(', ')
    // In the column's own type: by another one the order would be another.
    const values = pair.key.map(({ column }, at) => `$${at + 1}::${column.fullType}`).join(', ')
    const { rows } = await session.run(
      `SELECT ${selectKeys(pair, 't')} FROM ${from} t WHERE ${last ? `(${order}) > (${values})` : 'true'}${andWhere(pair)} ORDER BY ${order} LIMIT ${limit}`,
      last ? [...last] : [],
    )
    return rows.map((row) => keyOf(pair, row))
  },
  present: async (session, pair, side, keys, lock) => {
    if (keys.length === 0) return []
    const list = keyList(pair.key, keys)
    const { rows } = await session.run(
      `SELECT ${selectKeys(pair, 't')} FROM ${nameOf(sideOf(pair, side))} t WHERE ${list.sql('t')}${condition(pair, side)}${lock ? ' FOR UPDATE' : ''}`,
      list.parameters,
    )
    const asked = new Set(keys.map(keyText))
    return rows.map((row) => keyOf(pair, row)).filter((key) => asked.has(keyText(key)))
  },
  childrenOf: async (session, pair, child, parents, lock) => {
    if (parents.length === 0) return []
    const list = keyList(pair.key, parents)
    const { rows } = await session.run(
      `${childRows(pair, child, list.sql('p'))}${lock ? ' FOR UPDATE OF c' : ''}`,
      list.parameters,
    )
    return rows.map((row) => ({ key: keyOf(child.pair, row), parent: keyOf(pair, row, 'p') }))
  },
  copy: (session, pair, keys) => changed(session, pair, keys, copyStatement),
  deleteIdentical: (session, pair, keys) => changed(session, pair, keys, deleteStatement),
  compare: async (session, pair, keys) => {
    if (keys.length === 0) return []
    const list = keyList(pair.key, keys)
    const flags = pair.columns.map((column, at) => `(${identical(column)}) AS c${at}`).join(', ')
    const { rows } = await session.run(
      `SELECT ${selectKeys(pair, 's')}, ${flags} FROM ${nameOf(pair.source)} s JOIN ${nameOf(pair.archive)} d ON ${sameKey(pair)} WHERE ${list.sql('s')}`,
      list.parameters,
    )
    return rows.map((row): Leftover => {
      const differing = pair.columns.filter((_column, at) => row[`c${at}`] !== 't')
      return { key: keyOf(pair, row), differing: differing.map(({ source }) => source.name) }
    })
  },
  read: async (session, pair, side, keys, lock) => {
    const found = new Map<string, RowTexts>()
    if (keys.length === 0) return found
    const list = keyList(pair.key, keys)
    const texts = pair.columns
      .map((column, at) => `${exactText(side === 'source' ? column.source : column.archive, 't')} AS v${at}`)
      .join(', ')
    const { rows } = await session.run(
      `SELECT ${selectKeys(pair, 't')}, ${texts} FROM ${nameOf(sideOf(pair, side))} t WHERE ${list.sql('t')}${condition(pair, side)}${lock ? ' FOR UPDATE' : ''}`,
      list.parameters,
    )
    const asked = new Set(keys.map(keyText))
    for (const row of rows) {
      const text = keyText(keyOf(pair, row))
      if (asked.has(text))
        found.set(
          text,
          Object.fromEntries(pair.columns.map(({ source }, at) => [source.name, row[`v${at}`] ?? null])),
        )
    }
    return found
  },
  write: async (session, pair, rows) => {
    if (rows.length === 0) return 0
    const arrays = pair.columns.map(({ source }) => rows.map((row) => row[source.name] ?? null))
    const list = pair.columns.map((_column, at) => `$${at + 1}::text[]`).join(', ')
    const casts = pair.columns.map(({ source }, at) => `u.v${at}::${source.fullType}`).join(', ')
    // A cast to the archive's own type would cut what is too long; the source's type holds the value, and the insert checks the rest.
    const aliases = pair.columns.map((_column, at) => `v${at}`).join(', ')
    const { affected } = await session.run(
      `INSERT INTO ${nameOf(pair.archive)} (${names(pair)}) OVERRIDING SYSTEM VALUE SELECT ${casts} FROM unnest(${list}) AS u(${aliases})`,
      arrays,
    )
    return affected
  },
  deleteLocked: async (session, pair, side, keys) => {
    if (keys.length === 0) return 0
    const list = keyList(pair.key, keys)
    const text = `DELETE FROM ${nameOf(sideOf(pair, side))} t WHERE ${list.sql('t')}`
    return (await session.run(text, list.parameters)).affected
  },
  settleDeferred: (session) => session.run('SET CONSTRAINTS ALL IMMEDIATE'),
  readable: (_column, text) => text,
  exactOf: (_column, shown) => shown,
  savepoint: (session) => session.run('SAVEPOINT step'),
  toSavepoint: (session) => session.run('ROLLBACK TO SAVEPOINT step'),
  childStatement: (pair, child, parents) =>
    `${childRows(pair, child, keyLiterals(pair, parents, 'p'))} FOR UPDATE OF c`,
  statements: (pair, keys) => {
    const literals = keyLiterals(pair, keys)
    return [moveStatement(pair, literals), copyStatement(pair, literals), deleteStatement(pair, literals)]
  },
}

const keyLiterals = ({ key }: Pair, keys: readonly Key[], alias = 's'): string => {
  const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
  const names = key.map(({ name }) => `${alias}.${quote(name)}`).join(', ')
  return `(${names}) IN (${keys.map((values) => `(${values.map(text).join(', ')})`).join(', ')})`
}
