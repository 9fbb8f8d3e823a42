import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { messageOf } from '../../errors.ts'
import type { Session } from '../../sql/session.ts'
import { requireOwnFolder } from '../../state/safe-open.ts'
import { urlOf, type ArchiveFiles } from '../archive-files/archive-folder.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { isReadable } from '../dialects/mysql-columns.ts'
import type { Pair, Table } from '../table.ts'
import type { ChildOptions } from './children.ts'
import { conditionProblems } from './condition.ts'
import * as my from './facts-mysql.ts'
import * as pg from './facts-postgres.ts'
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
import * as myServer from './server-mysql.ts'
import * as pgServer from './server-postgres.ts'
import { compareShapes } from './shapes.ts'

/** The folder of an archive of files, as a run uses it. */
export interface FilesToBe extends ArchiveFiles {
  /** Whether the log tables are on the source's connection. */
  readonly logsInTransaction: boolean
}

export interface FilesOptions {
  readonly source: Session
  readonly dialect: Dialect
  readonly table: string
  readonly archiveFiles: FilesToBe
  readonly where?: string | undefined
  readonly children: readonly ChildOptions[]
  readonly batchSize: number
  readonly forced: ReadonlySet<Forceable>
}

/**
 * Looks at a live table whose rows go to files, at its server, and at the folder, before anything is touched. Throws ROWS_REFUSED with one list of all
 * that is wrong, each with its cure. Nothing is written.
 */
export const preflightFiles = async (options: FilesOptions): Promise<Cleared> => {
  const { source, dialect, archiveFiles, where, forced } = options
  if (source.isShared) throw refusal([SHARED_SESSION])
  const live = await dialect.describe(source, options.table)
  if (!live) throw refusal([absent(options.table)])
  const shapes = filesPair(live, archiveFiles, source)
  const pair = where === undefined ? shapes.pair : { ...shapes.pair, where }
  const problems = [
    ...shapes.problems,
    ...settingProblems(options),
    ...(await folderProblems(archiveFiles)),
    ...(await conditionProblems(options, pair)),
  ]
  const found = [...problems]
  if (live.kind === 'table') for await (const problem of factsOf(options, pair)) found.push(problem)
  if (problems.length === 0) for await (const problem of privilegesOf(source, pair)) found.push(problem)
  return { pair, oneServer: true, overruled: overruledOf(found, forced) }
}

/** A live table with the files of its rows where its archive would be: the same columns, and nothing to ask a server about. */
export const filesPair = (
  live: Table,
  files: ArchiveFiles,
  { dialect }: Pick<Session, 'dialect'>,
): { readonly pair: Pair; readonly problems: readonly Problem[] } => {
  const { pair, problems } = compareShapes(live, live, dialect)
  const unreadable = dialect === 'mysql' ? pair.columns.filter(({ source }) => !isReadable(source)) : []
  const archive: Table = {
    ...live,
    schema: '',
    name: urlOf(files),
    kind: 'folder',
    shape: { question: [], answer: '[]' },
  }
  return {
    pair: { ...pair, archive },
    problems: [
      ...problems,
      ...unreadable.map(({ source }) => ({
        message: `${live.name}.${source.name} has the character set ${source.charset ?? '?'}: a file in UTF-8 cannot keep every value of it byte for byte`,
        cure: 'archive the rows in a table',
      })),
    ],
  }
}

function* settingProblems({ archiveFiles, children }: FilesOptions): Generator<Problem> {
  if (children.length > 0)
    yield {
      message: 'rows.children cannot go to files: a file has the rows of one table',
      cure: 'archive the children first, by a run of their own, and then the parents without rows.children',
    }
  if (!archiveFiles.logsInTransaction)
    yield {
      message:
        "rows.log names another database: the name of a batch's file must commit with the delete of its rows",
      cure: "leave rows.log out, so that the log tables are in the source's database",
    }
}

/** What keeps a folder from being an archive. */
export const folderProblems = async ({ folder }: ArchiveFiles): Promise<readonly Problem[]> => {
  const found = await stat(folder).catch(() => undefined)
  if (!found)
    return [
      {
        message: `there is no folder ${folder}`,
        cure: `mkdir -m 700 ${folder}; it is not made for you, so that no row is written beside a disk that is not mounted`,
      },
    ]
  if (!found.isDirectory())
    return [{ message: `${folder} is not a folder`, cure: 'name a folder in rows.archive.url' }]
  const said = await requireOwnFolder(folder)
    .then(() => access(folder, constants.R_OK | constants.W_OK | constants.X_OK))
    .then(() => undefined, messageOf)
  if (said === undefined) return []
  return [
    {
      message: `the archive's folder cannot be used: ${said}`,
      cure: `give it to this user alone: chmod 700 ${folder}`,
    },
  ]
}

async function* factsOf({ source, batchSize }: FilesOptions, pair: Pair): AsyncGenerator<Problem> {
  const alone = { named: [], archives: [] }
  if (source.dialect === 'mysql') {
    const may = await grantsMysql(source)
    yield* my.cascadesMysql(source, pair, alone, false, may)
    yield* my.triggersMysql(source, pair.source, 'DELETE', may)
    yield* myServer.serverMysql(source, myServer.bytesOfIds(pair, batchSize) + pair.columns.length * 300)
    return
  }
  yield* pg.sessionPostgres(source)
  yield* pg.cascadesPostgres(source, pair, alone, false)
  yield* pg.triggersPostgres(source, pair.source, 'DELETE')
  yield* pg.heirsPostgres(source, pair.source)
  yield* pgServer.partsPostgres(source, pair.source)
  yield* pgServer.encodingPostgres(source)
}

const privilegesOf = (source: Session, pair: Pair): AsyncGenerator<Problem> =>
  source.dialect === 'mysql'
    ? my.privilegesMysql(source, undefined, pair)
    : pg.privilegesPostgres(source, undefined, pair)
