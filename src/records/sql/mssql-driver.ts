import { ArchiverError } from '../../errors.ts'

/** The part of `tedious` that is used. The package is an optional peer: nothing here may need its types. */
export interface TediousConnection {
  connect(connected: (error?: Error) => void): void
  execSql(request: TediousRequest): void
  beginTransaction(done: (error?: Error | null) => void, name: string, isolation: number): void
  commitTransaction(done: (error?: Error | null) => void): void
  rollbackTransaction(done: (error?: Error | null) => void): void
  close(): void
  on(event: 'error' | 'end', heard: (error?: Error) => void): void
}

export interface TediousRequest {
  addParameter(name: string, type: unknown, value: unknown): void
  on(event: 'row', heard: (columns: readonly TediousCell[]) => void): void
}

interface TediousCell {
  readonly metadata: { readonly colName: string }
  readonly value: unknown
}

export interface Tedious {
  readonly Connection: new (config: unknown) => TediousConnection
  readonly Request: new (
    sql: string,
    done: (error: Error | null | undefined, rowCount?: number) => void,
  ) => TediousRequest
  readonly TYPES: { readonly NVarChar: unknown; readonly VarBinary: unknown }
  readonly ISOLATION_LEVEL: { readonly READ_COMMITTED: number }
}

/** The driver's name in a variable: the compiler must not look for a package that may be missing. */
const DRIVER = 'tedious'

/** Loads the driver of SQL Server. Throws CONFIG_INVALID with the command that installs it where it is missing. */
export const loadTedious = async (
  load: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<Tedious> => {
  try {
    const loaded = (await load(DRIVER)) as Tedious & { readonly default?: Tedious }
    return loaded.default ?? loaded
  } catch (cause) {
    throw new ArchiverError(
      'CONFIG_INVALID',
      'SQL Server needs the package tedious, which is not installed',
      {
        cause,
        hint: 'npm install --ignore-scripts tedious@19.2.2, beside run-archiver',
      },
    )
  }
}

/** What the driver needs to connect. `timeout`: milliseconds for a connection, and for a statement. */
export const tediousConfig = (server: string, password: string | undefined, timeout: number): object => {
  const url = new URL(server)
  const instanceName = url.searchParams.get('instance') ?? undefined
  const isOn = (name: string, fallback: boolean): boolean =>
    (url.searchParams.get(name) ?? String(fallback)) === 'true'
  return {
    server: url.hostname.replace(/^\[|\]$/g, ''),
    authentication: {
      type: 'default',
      options: {
        userName: decodeURIComponent(url.username),
        password: password ?? decodeURIComponent(url.password),
      },
    },
    options: {
      ...(url.port !== ''
        ? { port: Number(url.port) }
        : instanceName === undefined
          ? { port: 1433 }
          : { instanceName }),
      database: decodeURIComponent(url.pathname.slice(1)),
      encrypt: isOn('encrypt', true),
      trustServerCertificate: isOn('trustServerCertificate', false),
      connectTimeout: timeout,
      requestTimeout: timeout,
      cancelTimeout: timeout,
      appName: 'run-archiver records',
      // `datetime` reads a date by the language of the session, `datetime2` does not.
      language: 'us_english',
      dateFormat: 'ymd',
      useUTC: true,
      abortTransactionOnError: false,
    },
  }
}
