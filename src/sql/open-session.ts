import { redactUrl } from '../common/redact.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import type { Session, SessionOptions, SqlDialect } from './session.ts'

/** The dialect that a URL's scheme names. Throws CONFIG_INVALID for any other. */
export const dialectOf = (url: string): SqlDialect => {
  if (/^(?:mysql|mariadb):\/\//i.test(url)) return 'mysql'
  if (/^postgres(?:ql)?:\/\//i.test(url)) return 'postgres'
  throw new ArchiverError('CONFIG_INVALID', `"${redactUrl(url)}" is not the URL of a database`, {
    hint: 'use mysql://user@host:3306/database, mariadb://... or postgres://...',
  })
}

/** Opens a connection to the database that a URL names. Throws DATABASE_UNAVAILABLE with what the server or the network said. */
export const openSession = async (options: SessionOptions): Promise<Session> => {
  const dialect = dialectOf(options.url)
  try {
    return dialect === 'mysql'
      ? await (await import('./mysql-session.ts')).openMysqlSession(options)
      : await (await import('./postgres-session.ts')).openPostgresSession(options)
  } catch (cause) {
    throw new ArchiverError(
      'DATABASE_UNAVAILABLE',
      `cannot connect to ${redactUrl(options.url)}: ${messageOf(cause)}`,
      { cause, hint: 'check that the server runs, and the user and password of the URL' },
    )
  }
}
