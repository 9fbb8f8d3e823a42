import type { Session } from '../../sql/session.ts'
import { andWhere, keyText, type Child, type Key, type Pair, type Table } from '../table.ts'
import { basesMysql, describeMysql } from './describe-mysql.ts'
import { isUnchanged, questionsOf } from '../shape.ts'
import type { Dialect, Leftover, RowTexts, Side } from './dialect.ts'
import {
  exactOf,
  exactText,
  identical,
  keyAfter,
  keyIn,
  keyValue,
  literal,
  quote,
  readable,
} from './mysql-columns.ts'

const nameOf = ({ schema, name }: Table): string => `${quote(schema)}.${quote(name)}`

const sameKey = ({ key }: Pair): string =>
  key.map(({ name }) => `d.${quote(name)} = s.${quote(name)}`).join(' AND ')

const first = ({ key }: Pair): string => quote(key[0]?.name ?? '')

const names = (pair: Pair): string => pair.columns.map(({ archive }) => quote(archive.name)).join(', ')

const values = (pair: Pair, alias: string): string =>
  pair.columns.map(({ source }) => `${alias}.${quote(source.name)}`).join(', ')

/** Live rows, locked, into the archive: a twin is an error. Without the question for twins it takes a tenth less of the server. */
const copyEach = (pair: Pair, keys: readonly Key[]): string =>
  `INSERT INTO ${nameOf(pair.archive)} (${names(pair)})
SELECT ${values(pair, 's')} FROM ${nameOf(pair.source)} s FORCE INDEX (PRIMARY)
WHERE ${keyIn('s', pair.key, keys)}${andWhere(pair)} FOR UPDATE`

/** Live rows without a twin, locked, into the archive. */
const copyMissing = (pair: Pair, keys: readonly Key[]): string =>
  `INSERT INTO ${nameOf(pair.archive)} (${names(pair)})
SELECT ${values(pair, 's')} FROM ${nameOf(pair.source)} s FORCE INDEX (PRIMARY) LEFT JOIN ${nameOf(pair.archive)} d ON ${sameKey(pair)}
WHERE ${keyIn('s', pair.key, keys)} AND d.${first(pair)} IS NULL FOR UPDATE`

const deleteTwins = (pair: Pair, keys: readonly Key[]): string =>
  `DELETE s FROM ${nameOf(pair.source)} s FORCE INDEX (PRIMARY) STRAIGHT_JOIN ${nameOf(pair.archive)} d ON ${sameKey(pair)}
WHERE ${keyIn('s', pair.key, keys)}
  AND ${pair.columns.map(identical).join('\n  AND ')}`

/** Keys that are texts match by collation: which row an id means is asked first, and a twin may be another one. */
const isExact = ({ key }: Pair): boolean => key.every(({ type }) => type !== 'text')

const copyAll = async (session: Session, pair: Pair, keys: readonly Key[]): Promise<boolean> =>
  isExact(pair) && (await session.run(copyEach(pair, keys))).affected === keys.length

const selectKeys = (pair: Pair, alias: string, as = 'k'): string =>
  pair.key.map((column, at) => `${keyValue(alias, column)} AS ${as}${at}`).join(', ')

const keyOf = (pair: Pair, row: Readonly<Record<string, string | null>>, as = 'k'): Key =>
  pair.key.map((_column, at) => row[`${as}${at}`] ?? '')

/** The children of locked parents. The join is by the server's own comparison, as its foreign key is. */
const childRows = (pair: Pair, { pair: child, refers, index }: Child, parents: readonly Key[]): string =>
  `SELECT ${selectKeys(child, 'c')}, ${selectKeys(pair, 'p', 'p')}
FROM ${nameOf(pair.source)} p FORCE INDEX (PRIMARY) STRAIGHT_JOIN ${nameOf(child.source)} c${index === undefined ? '' : ` FORCE INDEX (${quote(index)})`} ON ${pair.key.map(({ name }, at) => `c.${quote(refers[at] ?? '')} = p.${quote(name)}`).join(' AND ')}
WHERE ${keyIn('p', pair.key, parents)}`

const sideOf = (pair: Pair, side: Side): Table => (side === 'source' ? pair.source : pair.archive)

const condition = (pair: Pair, side: Side): string => (side === 'source' ? andWhere(pair) : '')

/** MariaDB and MySQL. */
export const mysql: Dialect = {
  quote,
  describe: describeMysql,
  basesOf: basesMysql,
  begin: (session) => session.run('START TRANSACTION'),
  moveAll: async (session, pair, keys) => {
    if (!isExact(pair)) return false
    const sent = ['START TRANSACTION', copyEach(pair, keys), deleteTwins(pair, keys)].map((sql) => ({ sql }))
    const [, copied, deleted, ...shapes] = await session.runAll([...sent, ...questionsOf(pair)])
    return copied?.affected === keys.length && deleted?.affected === keys.length && isUnchanged(pair, shapes)
  },
  copyAll,
  countLive: async (session, pair) => {
    const { rows } = await session.run(
      `SELECT COUNT(*) AS n FROM ${nameOf(pair.source)} t WHERE TRUE${andWhere(pair)}`,
    )
    return Number(rows[0]?.['n'])
  },
  nextKeys: async (session, pair, last, limit, from = nameOf(pair.source)) => {
    const order = pair.key.map(({ name }) => `t.${quote(name)}`).join(', ')
    const { rows } = await session.run(
      `SELECT ${selectKeys(pair, 't')} FROM ${from} t FORCE INDEX (PRIMARY) WHERE ${last ? keyAfter('t', pair.key, last) : 'TRUE'}${andWhere(pair)} ORDER BY ${order} LIMIT ${limit}`,
    )
    return rows.map((row) => keyOf(pair, row))
  },
  present: async (session, pair, side, keys, lock) => {
    if (keys.length === 0) return []
    const { rows } = await session.run(
      `SELECT ${selectKeys(pair, 't')} FROM ${nameOf(sideOf(pair, side))} t FORCE INDEX (PRIMARY) WHERE ${keyIn('t', pair.key, keys)}${condition(pair, side)}${lock ? ' FOR UPDATE' : ''}`,
    )
    const asked = new Set(keys.map(keyText))
    return rows.map((row) => keyOf(pair, row)).filter((key) => asked.has(keyText(key)))
  },
  childrenOf: async (session, pair, child, parents, lock) => {
    if (parents.length === 0) return []
    const { rows } = await session.run(`${childRows(pair, child, parents)}${lock ? ' FOR UPDATE' : ''}`)
    return rows.map((row) => ({ key: keyOf(child.pair, row), parent: keyOf(pair, row, 'p') }))
  },
  copy: async (session, pair, keys) =>
    keys.length === 0
      ? 0
      : // A twin whose text only the collation calls equal must be an error that names it.
        (await session.run((isExact(pair) ? copyMissing : copyEach)(pair, keys))).affected,
  deleteIdentical: async (session, pair, keys) =>
    keys.length === 0 ? 0 : (await session.run(deleteTwins(pair, keys))).affected,
  compare: async (session, pair, keys) => {
    if (keys.length === 0) return []
    const flags = pair.columns.map((column, at) => `(${identical(column)}) AS c${at}`).join(', ')
    const { rows } = await session.run(
      `SELECT ${selectKeys(pair, 's')}, ${flags} FROM ${nameOf(pair.source)} s FORCE INDEX (PRIMARY) JOIN ${nameOf(pair.archive)} d ON ${sameKey(pair)} WHERE ${keyIn('s', pair.key, keys)}`,
    )
    return rows.map((row): Leftover => {
      const differing = pair.columns.filter((_column, at) => row[`c${at}`] !== '1')
      return { key: keyOf(pair, row), differing: differing.map(({ source }) => source.name) }
    })
  },
  read: async (session, pair, side, keys, lock) => {
    const found = new Map<string, RowTexts>()
    if (keys.length === 0) return found
    const texts = pair.columns
      .map((column, at) => `${exactText(side === 'source' ? column.source : column.archive, 't')} AS v${at}`)
      .join(', ')
    const { rows } = await session.run(
      `SELECT ${selectKeys(pair, 't')}, ${texts} FROM ${nameOf(sideOf(pair, side))} t FORCE INDEX (PRIMARY) WHERE ${keyIn('t', pair.key, keys)}${condition(pair, side)}${lock ? ' FOR UPDATE' : ''}`,
    )
    const asked = new Set(keys.map(keyText))
    for (const row of rows) {
      const text = keyText(keyOf(pair, row))
      if (!asked.has(text)) continue
      found.set(
        text,
        Object.fromEntries(pair.columns.map(({ source }, at) => [source.name, row[`v${at}`] ?? null])),
      )
    }
    return found
  },
  write: async (session, pair, rows) => {
    let written = 0
    let tuples: string[] = []
    let size = 0
    const flush = async (): Promise<void> => {
      if (tuples.length === 0) return
      const head = `INSERT INTO ${nameOf(pair.archive)} (${names(pair)}) VALUES\n`
      written += (await session.run(head + tuples.join(',\n'))).affected
      tuples = []
      size = 0
    }
    for (const row of rows) {
      const tuple = `(${pair.columns.map(({ source }) => literal(source, row[source.name] ?? null)).join(',')})`
      if (size + tuple.length > STATEMENT) await flush()
      tuples.push(tuple)
      size += tuple.length
    }
    await flush()
    return written
  },
  deleteLocked: async (session, pair, side, keys) =>
    keys.length === 0
      ? 0
      : (
          await session.run(
            `DELETE FROM ${nameOf(sideOf(pair, side))} WHERE ${keyIn(nameOf(sideOf(pair, side)), pair.key, keys)}`,
          )
        ).affected,
  settleDeferred: () => Promise.resolve(), // it defers nothing
  readable,
  exactOf,
  // A statement that fails is rolled back by itself, and nothing else with it.
  savepoint: () => Promise.resolve(),
  toSavepoint: () => Promise.resolve(),
  childStatement: (pair, child, parents) => `${childRows(pair, child, parents)} FOR UPDATE`,
  statements: (pair, keys) => [copyEach(pair, keys), copyMissing(pair, keys), deleteTwins(pair, keys)],
}

/** Characters of one insert: far below the smallest packet that is allowed by default. */
const STATEMENT = 1_000_000
