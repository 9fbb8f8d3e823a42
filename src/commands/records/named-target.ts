import { resolve } from 'node:path'
import { ArchiverError } from '../../errors.ts'
import { HERE, isSameServer } from './same-server.ts'

/** The flags of the original that name a database. A password is never one of them. */
export interface TargetFlags {
  /** `host`, `host,port` or `host:port`; for SQL Server `host\instance` as well. */
  readonly server?: string
  readonly database?: string
  readonly username?: string
}

export const ENGINES = ['postgres', 'mysql', 'sqlite', 'mssql'] as const
export type Engine = (typeof ENGINES)[number]

/** What the configuration says of the target. */
export interface ConfiguredTarget {
  readonly url: string | undefined
  readonly engine: Engine | undefined
}

/**
 * The URL of the target: that of the configuration, with what the flags name instead. Its engine is that of the URL, or `records.target`.
 * Everything else of the URL stays, but for the password of another user. Throws USAGE and CONFIG_INVALID.
 */
export const namedTarget = (flags: TargetFlags, { url, engine }: ConfiguredTarget): string => {
  const { server, database, username } = flags
  if (server === undefined && database === undefined && username === undefined) {
    if (url !== undefined) return url
    throw new ArchiverError('CONFIG_INVALID', 'records.target_url is missing', {
      hint: 'or records.target (postgres, mysql, sqlite, mssql) with --server and --database',
    })
  }
  const configured = url === undefined || url === 'off' ? undefined : url
  if (configured === undefined && engine === undefined)
    throw new ArchiverError('USAGE', '--server and --database need an engine', {
      hint: `records.target: ${ENGINES.join(', ')}; or records.target_url, of which they replace the server and the database`,
    })
  if (configured === undefined ? engine === 'sqlite' : configured.startsWith('sqlite:'))
    return sqliteFile(flags, configured)
  return serverUrl(flags, configured, engine ?? 'postgres')
}

/** How a metrics file names the target, without its user and password. */
export interface TargetName {
  readonly server: string | null
  readonly database: string
}

export const targetNameOf = (url: string): TargetName => {
  const file = /^sqlite:(.*)$/s.exec(url)?.[1]
  if (file !== undefined) return { server: null, database: file }
  if (!URL.canParse(url)) return { server: null, database: '' }
  const { host, pathname, searchParams } = new URL(url)
  const instance = searchParams.get('instance')
  return {
    server: instance === null ? host : `${host}\\${instance}`,
    database: decodeURIComponent(pathname.slice(1)),
  }
}

const sqliteFile = ({ server, database }: TargetFlags, configured: string | undefined): string => {
  if (server !== undefined && !HERE.has(server))
    throw new ArchiverError('USAGE', `--server ${server}: SQLite has no server`, {
      hint: '--database FILE alone, or records.target: postgres, mysql or mssql',
    })
  if (database !== undefined) return `sqlite:${resolve(database)}`
  if (configured !== undefined) return configured
  throw new ArchiverError('USAGE', '--database is missing: the file of SQLite')
}

const serverUrl = (
  { server, database, username }: TargetFlags,
  configured: string | undefined,
  engine: Engine,
): string => {
  if (configured === undefined && (server === undefined || database === undefined))
    throw new ArchiverError(
      'USAGE',
      '--server and --database go together where records.target_url is missing',
    )
  const place = server === undefined ? undefined : hostAndPort(server)
  const isMssql = configured === undefined ? engine === 'mssql' : /^(?:mssql|sqlserver):/i.test(configured)
  if (place?.instance !== undefined && !isMssql) throw notAServer(server ?? '')
  const start = configured ?? `${engine}://${place?.host ?? ''}/`
  if (!URL.canParse(start)) throw notAServer(server ?? '')
  const url = new URL(start)
  if (place) {
    url.hostname = place.host
    url.port = place.port
    // Drivers take these before the host; and where a port is named, no instance is asked for.
    for (const name of ['host', 'port', 'socketPath', 'instance']) url.searchParams.delete(name)
    if (place.instance !== undefined && place.port === '') url.searchParams.set('instance', place.instance)
    if (url.hostname !== new URL(`${engine}://${place.host}/`).hostname) throw notAServer(server ?? '')
    if (!isSameServer(url.href, start)) dropPassword(url)
  }
  if (database !== undefined) url.pathname = `/${encodeURIComponent(database)}`
  if (username !== undefined && username !== userOf(url)) {
    url.searchParams.delete('user')
    url.username = encodeURIComponent(username)
    dropPassword(url)
  }
  return url.href
}

const userOf = ({ searchParams, username }: URL): string =>
  searchParams.get('user') ?? decodeURIComponent(username)

const dropPassword = (url: URL): void => {
  url.searchParams.delete('password')
  url.password = ''
}

interface ServerPlace {
  readonly host: string
  readonly port: string
  readonly instance: string | undefined
}

const hostAndPort = (server: string): ServerPlace => {
  const [, host = '', instance, port = ''] =
    /^(?:tcp:)?(\[[0-9a-f:.]+\]|[^\s,:/\\@?#[\]]*)(?:\\([\w$#]{1,16}))?(?:[,:](\d{1,5}))?$/i.exec(server) ??
    []
  if (server !== '' && host === '' && port === '' && instance === undefined) throw notAServer(server)
  if (Number(port) > 65_535) throw notAServer(server)
  return { host: HERE.has(host) ? 'localhost' : host, port, instance }
}

const notAServer = (server: string): ArchiverError =>
  new ArchiverError('USAGE', `--server "${server}" is not HOST, HOST,PORT or HOST:PORT`, {
    hint: 'HOST\\INSTANCE is for SQL Server alone: records.target: mssql, or an mssql:// URL',
  })
