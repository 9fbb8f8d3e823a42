import { redactUrl } from '../../common/redact.ts'
import { ArchiverError } from '../../errors.ts'
import { databasePlace, type DatabasePlace, type DialectName } from '../../sql/database-url.ts'

/** The engines that records are stored in: those of the ledger, and SQL Server. */
export type RecordsDialect = DialectName | 'mssql'

/** Where records are. `server` is a URL with its password: show it only through `redactUrl`. */
export type RecordsPlace = DatabasePlace | { readonly dialect: 'mssql'; readonly server: string }

/** As `databasePlace`, and `mssql://user@host[:port]/database[?instance=NAME]` besides. Throws CONFIG_INVALID, which names the setting. */
export const recordsPlace = (url: string, workDir: string, setting: string): RecordsPlace | undefined => {
  if (!/^(?:mssql|sqlserver):/i.test(url)) return databasePlace(url, workDir, setting)
  const server = url.replace(/^\w+:/, 'mssql:')
  if (URL.canParse(server) && new URL(server).hostname !== '') return { dialect: 'mssql', server }
  throw new ArchiverError('CONFIG_INVALID', `${setting} "${redactUrl(url)}" is not the URL of a database`, {
    hint: 'use mssql://user@host/database',
  })
}
