import { randomBytes } from 'node:crypto'
import { ArchiverError } from '../../errors.ts'
import type { Session } from '../../sql/session.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { PART } from '../group-steps.ts'
import { groupOf, type Pair, type Table } from '../table.ts'
import { preflightFiles, type FilesToBe } from './archive-files.ts'
import { conditionProblems } from './condition.ts'
import { doubleTables, withChildren, type ChildOptions } from './children.ts'
import * as my from './facts-mysql.ts'
import * as myServer from './server-mysql.ts'
import * as pg from './facts-postgres.ts'
import * as pgServer from './server-postgres.ts'
import { grantsMysql } from './grants-mysql.ts'
import {
  absent,
  type Cleared,
  overruledOf,
  refusal,
  SHARED_SESSION,
  type Forceable,
  type Problem,
} from './problem.ts'
import { compareShapes } from './shapes.ts'

export interface PreflightOptions {
  readonly source: Session
  readonly archive: Session
  readonly dialect: Dialect
  readonly table: string
  readonly archiveTable: string
  /** A folder of files in place of the archive's table. */
  readonly archiveFiles?: FilesToBe | undefined
  /** SQL that must hold for a row to be moved. */
  readonly where?: string | undefined
  /** Tables whose rows refer to those of `table`, and go with them. */
  readonly children: readonly ChildOptions[]
  readonly batchSize: number
  readonly forced: ReadonlySet<Forceable>
}

/**
 * Looks at both tables and their servers before anything is touched. Throws ROWS_REFUSED with one list of all that is wrong, each with its cure.
 * Nothing is written.
 */
export const preflight = async (options: PreflightOptions): Promise<Cleared> => {
  const { source, archive, dialect, forced } = options
  if (options.archiveFiles) return preflightFiles({ ...options, archiveFiles: options.archiveFiles })
  if (source.dialect !== archive.dialect)
    throw new ArchiverError('ROWS_REFUSED', 'source and archive are servers of different kinds', {
      hint: 'use two MariaDB/MySQL servers or two PostgreSQL servers',
    })
  if (source.isShared || archive.isShared) throw refusal([SHARED_SESSION])
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
  const plain = where === undefined ? shapes.pair : { ...shapes.pair, where }
  // One transaction needs one connection, and so one database of PostgreSQL.
  const oneServer = isOne && (await isOneDatabase(options))
  const group = await withChildren(options, plain, options, options.children)
  const { pair } = group
  const problems = [
    ...shapes.problems,
    ...(await conditionProblems(options, pair)),
    ...group.problems,
    ...(options.children.length > 0 ? await groupProblems(options, pair, oneServer) : []),
  ]
  const found = [...problems]
  for (const one of groupOf(pair)) {
    const isPlain = one.source.kind === 'table' && one.archive.kind === 'table'
    if (isPlain) for await (const problem of factsOf(options, one, pair, isOne)) found.push(problem)
  }
  // Where a column is missing or has no default, the statements of a batch fail for that.
  // Where the binary log's format is refused anyway, they fail for that.
  const isLogRefused = found.some(({ forceable }) => forceable === 'binlog') && !forced.has('binlog')
  if (problems.length === 0 && !isLogRefused)
    for (const one of groupOf(pair))
      for await (const problem of privilegesOf(options, one)) found.push(problem)
  return { pair, oneServer, overruled: overruledOf(found, forced) }
}

/** A group is moved by one transaction, between tables that are all different. */
const groupProblems = async (
  options: PreflightOptions,
  pair: Pair,
  oneServer: boolean,
): Promise<readonly Problem[]> =>
  oneServer
    ? doubleTables(options, pair)
    : [
        {
          message:
            'rows.children needs live tables and archives in one server, and on PostgreSQL in one database: a group is moved by one transaction',
          cure: 'name archives there; or move each child table by a run of its own, with lists of its own ids, and then the parents without rows.children',
        },
      ]

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

async function* factsOf(
  options: PreflightOptions,
  pair: Pair,
  group: Pair,
  isOne: boolean,
): AsyncGenerator<Problem> {
  const { source, archive } = options
  // A batch may have any number of children: they are named in parts.
  const batchSize = pair === group ? options.batchSize : Math.max(PART, options.batchSize)
  const around = {
    named: (pair.children ?? []).map((child) => child.pair.source),
    archives: groupOf(group).map((one) => one.archive),
  }
  if (source.dialect === 'mysql') {
    const may = await grantsMysql(source)
    yield* my.cascadesMysql(source, pair, around, isOne, may)
    yield* my.triggersMysql(source, pair.source, 'DELETE', may)
    yield* my.triggersMysql(
      archive,
      pair.archive,
      'INSERT',
      source === archive ? may : await grantsMysql(archive),
    )
    const bytes = myServer.bytesOfIds(pair, batchSize)
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
  yield* pg.cascadesPostgres(source, pair, around, isOneTransaction)
  yield* pg.triggersPostgres(source, pair.source, 'DELETE')
  yield* pg.triggersPostgres(archive, pair.archive, 'INSERT')
  yield* pg.inheritancePostgres(source, archive, pair, isOneTransaction)
  yield* pgServer.partsPostgres(source, pair.source)
  yield* pgServer.partsPostgres(archive, pair.archive)
  yield* pgServer.deferrablePostgres(archive, pair.archive)
  yield* pgServer.durabilityPostgres(archive, pair)
  if (!isOneTransaction) for (const session of [source, archive]) yield* pgServer.encodingPostgres(session)
}

const privilegesOf = ({ source, archive }: PreflightOptions, pair: Pair): AsyncGenerator<Problem> =>
  source.dialect === 'mysql'
    ? my.privilegesMysql(source, archive, pair)
    : pg.privilegesPostgres(source, archive, pair)
