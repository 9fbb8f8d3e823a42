import { randomBytes } from 'node:crypto'
import { ArchiverError, messageOf } from '../../errors.ts'
import type { Session } from '../../sql/session.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { Pair, Table } from '../table.ts'
import * as my from './facts-mysql.ts'
import * as myServer from './server-mysql.ts'
import * as pg from './facts-postgres.ts'
import * as pgServer from './server-postgres.ts'
import { grantsMysql } from './grants-mysql.ts'
import type { Forceable, Problem } from './problem.ts'
import { compareShapes } from './shapes.ts'

export interface PreflightOptions {
  readonly source: Session
  readonly archive: Session
  readonly dialect: Dialect
  readonly table: string
  readonly archiveTable: string
  /** SQL that must hold for a row to be moved. */
  readonly where?: string | undefined
  readonly batchSize: number
  readonly forced: ReadonlySet<Forceable>
}

export interface Cleared {
  readonly pair: Pair
  /** Whether both tables are in one server, so that one transaction moves a batch. */
  readonly oneServer: boolean
  /** Problems that a flag overruled: to be logged. */
  readonly overruled: readonly Problem[]
}

/**
 * Looks at both tables and their servers before anything is touched. Throws ROWS_REFUSED with one list of all that is wrong, each with its cure.
 * Nothing is written.
 */
export const preflight = async (options: PreflightOptions): Promise<Cleared> => {
  const { source, archive, dialect, forced } = options
  if (source.dialect !== archive.dialect)
    throw new ArchiverError('ROWS_REFUSED', 'source and archive are servers of different kinds', {
      hint: 'use two MariaDB/MySQL servers or two PostgreSQL servers',
    })
  if (source.isShared || archive.isShared)
    throw refusal([
      {
        message:
          "the connection leads through a pooler that gives each transaction another session of the server: the table's lock and the settings of a move do not last",
        cure: "connect to the server itself, or by a pooler in session mode (pgbouncer's pool_mode = session)",
      },
    ])
  const live = await dialect.describe(source, options.table)
  const kept = await dialect.describe(archive, options.archiveTable)
  if (!live || !kept)
    throw refusal([live ? undefined : absent(options.table), kept ? undefined : absent(options.archiveTable)])
  const isOne = await sameServer(source, archive)
  if (isOne && (await isSameTable(options, live, kept)))
    throw refusal([
      {
        message: `the archive ${kept.schema}.${kept.name} is the source itself (the same server, the same table): every row would be its own twin, and be deleted`,
        cure: 'name another table',
      },
    ])
  const { where } = options
  const shapes = compareShapes(live, kept, source.dialect)
  const pair = where === undefined ? shapes.pair : { ...shapes.pair, where }
  const problems = [...shapes.problems, ...(await conditionProblems(options, pair))]
  const found = [...problems]
  const isPlain = live.kind === 'table' && kept.kind === 'table'
  if (isPlain) for await (const problem of factsOf(options, pair, isOne)) found.push(problem)
  // Where a column is missing or has no default, the statements of a batch fail for that.
  // Where the binary log's format is refused anyway, they fail for that.
  const isLogRefused = found.some(({ forceable }) => forceable === 'binlog') && !forced.has('binlog')
  if (problems.length === 0 && !isLogRefused)
    for await (const problem of privilegesOf(options, pair)) found.push(problem)
  const standing = found.filter(({ forceable }) => forceable === undefined || !forced.has(forceable))
  if (standing.length > 0) throw refusal(standing)
  // One transaction needs one connection, and so one database of PostgreSQL.
  return { pair, oneServer: isOne && (await isOneDatabase(options)), overruled: found }
}

/** A condition is tried between words first, not in parentheses: one that closes them would reach beyond them later. */
const conditionProblems = async (
  { source, dialect }: PreflightOptions,
  pair: Pair,
): Promise<readonly Problem[]> => {
  const { where, key, source: live } = pair
  if (where === undefined) return []
  const table = `${dialect.quote(live.schema)}.${dialect.quote(live.name)}`
  const said = await source
    .run(`SELECT 1 FROM ${table} t WHERE CASE WHEN ${where}\n THEN 1 ELSE 0 END = 1 AND 1 = 0`)
    .then(() => undefined, messageOf)
  const problems: Problem[] = []
  if (said !== undefined)
    problems.push({
      message: `rows.where is no condition on rows of ${live.name}: ${said}`,
      cure: 'write what stands behind WHERE, with the plain names of columns',
    })
  if (key.some(({ column }) => column.type === 'enum'))
    problems.push({
      message: `${live.name} has an ENUM in its primary key, whose order is not that of its texts: rows.where cannot walk along it`,
      cure: 'list the ids in files',
    })
  return problems
}

const absent = (name: string): Problem => ({
  message: `there is no table ${name}`,
  cure: 'create it, or correct the name (schema.table where it is not in the default schema)',
})

const refusal = (problems: readonly (Problem | undefined)[]): ArchiverError => {
  const lines = problems.flatMap((problem) =>
    problem
      ? [
          `  ${problem.message}\n    → ${problem.cure}${problem.forceable ? ` (or --force-${problem.forceable})` : ''}`,
        ]
      : [],
  )
  return new ArchiverError(
    'ROWS_REFUSED',
    `rows are not moved; ${lines.length} reason${lines.length === 1 ? '' : 's'}:\n${lines.join('\n')}`,
  )
}

const sameServer = (source: Session, archive: Session): Promise<boolean> => {
  if (source === archive) return Promise.resolve(true)
  const random = randomBytes(8)
  return source.dialect === 'mysql'
    ? myServer.sameServerMysql(source, archive, `archiver:probe:${random.toString('hex')}`)
    : pgServer.sameServerPostgres(source, archive, random.readInt32BE(0))
}

/** Both are tables of one server: whether they are one. A view that stands over the source counts as the source. */
const isSameTable = async (
  { source, archive, dialect }: PreflightOptions,
  live: Table,
  kept: Table,
): Promise<boolean> => {
  if (source.dialect === 'postgres' && !(await isOneDatabase({ source, archive }))) return false
  const over = await dialect.basesOf(archive, kept)
  const under = await dialect.basesOf(source, live)
  return over.some((name) => under.includes(name))
}

const isOneDatabase = async ({
  source,
  archive,
}: Pick<PreflightOptions, 'source' | 'archive'>): Promise<boolean> => {
  if (source.dialect === 'mysql' || source === archive) return true
  const sql = 'SELECT current_database() AS name'
  const [one, other] = [await source.run(sql), await archive.run(sql)]
  return one.rows[0]?.['name'] === other.rows[0]?.['name']
}

async function* factsOf(options: PreflightOptions, pair: Pair, isOne: boolean): AsyncGenerator<Problem> {
  const { source, archive, batchSize } = options
  if (source.dialect === 'mysql') {
    const may = await grantsMysql(source)
    yield* my.cascadesMysql(source, pair, isOne, may)
    yield* my.triggersMysql(source, pair.source, 'DELETE', may)
    yield* my.triggersMysql(
      archive,
      pair.archive,
      'INSERT',
      source === archive ? may : await grantsMysql(archive),
    )
    const bytes =
      batchSize *
      pair.key.reduce(
        (sum, { column, type }) => sum + (type === 'text' ? 2 * (column.octets ?? 255) + 12 : 40),
        8,
      )
    yield* myServer.serverMysql(source, bytes + 4096 + pair.columns.length * 300)
    if (!isOne) {
      yield* myServer.durabilityMysql(archive)
      yield* myServer.serverMysql(archive, bytes)
      yield* myServer.clusterMysql(source, archive)
      yield* myServer.replicatedMysql(source, archive, pair.archive)
    }
    return
  }
  const isOneTransaction = isOne && (await isOneDatabase(options))
  yield* pg.sessionPostgres(source)
  yield* pg.cascadesPostgres(source, pair, isOneTransaction)
  yield* pg.triggersPostgres(source, pair.source, 'DELETE')
  yield* pg.triggersPostgres(archive, pair.archive, 'INSERT')
  yield* pg.inheritancePostgres(source, archive, pair, isOneTransaction)
  yield* pgServer.partsPostgres(source, pair.source)
  yield* pgServer.partsPostgres(archive, pair.archive)
  yield* pgServer.deferrablePostgres(archive, pair.archive)
  yield* pgServer.durabilityPostgres(archive, pair)
}

const privilegesOf = ({ source, archive }: PreflightOptions, pair: Pair): AsyncGenerator<Problem> =>
  source.dialect === 'mysql'
    ? my.privilegesMysql(source, archive, pair)
    : pg.privilegesPostgres(source, archive, pair)
