import type { Session } from '../../sql/session.ts'
import type { ArchiveFiles } from '../archive-files/archive-folder.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { Pair, Table } from '../table.ts'
import { filesPair } from './archive-files.ts'
import * as my from './facts-mysql.ts'
import * as pg from './facts-postgres.ts'
import { grantsMysql } from './grants-mysql.ts'
import { overruledOf, type Forceable, type Problem } from './problem.ts'

export interface RestoreOptions {
  readonly source: Session
  readonly dialect: Dialect
  readonly table: Table
  readonly files: ArchiveFiles
  readonly forced: ReadonlySet<Forceable>
}

/** Looks at a live table that rows of archive files go back to. Throws ROWS_REFUSED with one list of all that is wrong. Nothing is written. */
export const restorePreflight = async (options: RestoreOptions): Promise<Pair> => {
  const { source, table, files, forced } = options
  const { pair, problems } = filesPair(table, files, source)
  const found: Problem[] = [...problems]
  const target = { ...pair, archive: table }
  if (source.dialect === 'mysql') {
    const may = await grantsMysql(source)
    for await (const problem of my.triggersMysql(source, table, 'INSERT', may)) found.push(problem)
    for await (const problem of my.privilegesMysql(source, source, target)) found.push(problem)
  } else {
    for await (const problem of pg.triggersPostgres(source, table, 'INSERT')) found.push(problem)
    for await (const problem of pg.privilegesPostgres(source, source, target)) found.push(problem)
  }
  overruledOf(found, forced)
  return pair
}
