import { databasePassword } from '../../sql/fresh-password.ts'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { Secret } from '../../common/secret.ts'
import type { LineageSettings } from './lineage.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Where executions are reported to, and where what cannot be reported waits. */
export interface TrackingPlace {
  /** As `ledger.url`, or the `http://` or `https://` of a service. */
  readonly url: string
  readonly schema: string
  readonly password: Secret | undefined
  /** For a service. */
  readonly token?: Secret | undefined
  /** Holds the spool, the journals and the logs of `track run`. */
  readonly folder: string
}

/** What a configuration file says of it. */
export interface TrackingSettings {
  readonly url: string
  readonly schema: string
  readonly password: Secret | undefined
  readonly token?: Secret | undefined
  readonly workDir: string
}

/** The parts of a configuration that trackers heed. */
interface Configured {
  readonly app: { readonly workDir: string }
  readonly ledger: { readonly url: Secret; readonly schema: string; readonly password: Secret | undefined }
  readonly tracking: {
    readonly url: string | undefined
    readonly token: Secret | undefined
    readonly flushMs: number
    readonly stagePatterns: ReadonlyMap<string, string>
    readonly envAllow: readonly string[]
    readonly openlineageUrl: string | undefined
    readonly openlineageToken: Secret | undefined
    readonly openlineageFile: string | undefined
    readonly openlineageNamespace: string
  }
}

/** What a configuration says of where to report to, and how. */
export const configuredTracking = ({ app, ledger, tracking }: Configured) => {
  const { url, token, flushMs: flushEvery, stagePatterns, envAllow } = tracking
  const settings: TrackingSettings = {
    url: url ?? ledger.url.reveal(),
    schema: ledger.schema,
    password: url === undefined ? databasePassword(ledger) : undefined,
    token: url === undefined ? undefined : token,
    workDir: app.workDir,
  }
  return { settings, tuning: { flushEvery, stagePatterns, envAllow, lineage: lineageOf(tracking) } }
}

const lineageOf = (tracking: Configured['tracking']): LineageSettings | undefined => {
  const { openlineageUrl: url, openlineageToken: token, openlineageFile: file } = tracking
  if (url === undefined && file === undefined) return undefined
  return { url, token, file, namespace: tracking.openlineageNamespace }
}

/**
 * Where to report to: the environment wins over the configuration, and where neither says anything the database is where the clients of
 * every language look for it, `geodb` on this host. `MONITOR_DB_*` counts for trackers only, never for passes.
 */
export const trackingPlace = (env: Env, settings: TrackingSettings | undefined): TrackingPlace => {
  const fromEnvironment = environmentUrl(env)
  return {
    url: fromEnvironment ?? settings?.url ?? serverUrl({}),
    schema: env['MONITOR_DB_SCHEMA'] ?? settings?.schema ?? 'tasker',
    // What belongs to one place is never sent to another.
    password: fromEnvironment === undefined ? settings?.password : undefined,
    token: environmentToken(env) ?? (fromEnvironment === undefined ? settings?.token : undefined),
    folder: env['MONITOR_SPOOL_DIR'] ?? settings?.workDir ?? stateFolder(env),
  }
}

const environmentToken = (env: Env): Secret | undefined => {
  const token = env['MONITOR_TOKEN']
  return token ? new Secret(token) : undefined
}

const VARIABLES = ['CONN', 'HOST', 'PORT', 'NAME', 'USER', 'PASSWORD'] as const

/** The URL that `MONITOR_DB_*`, or `TASKER_DB_*`, describes; undefined where none of them is set. */
const environmentUrl = (env: Env): string | undefined => {
  for (const prefix of ['MONITOR_DB_', 'TASKER_DB_']) {
    const given = Object.fromEntries(VARIABLES.map((name) => [name, env[prefix + name] || undefined]))
    if (Object.values(given).every((value) => value === undefined)) continue
    return given['CONN'] === undefined ? serverUrl(given) : connectionUrl(given['CONN'])
  }
  return undefined
}

/** `MONITOR_DB_CONN` is a URL (of a database, or `http://` of a service), `off`, `sqlite:FILE`, or libpq's `host=... dbname=...`. */
const connectionUrl = (text: string): string => {
  if (text === 'off' || /^[a-z]+:/i.test(text)) return text
  const words = [...text.matchAll(/(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))/g)]
  const pairs = new Map(
    words.map(([, name, quoted, plain]) => [name, (quoted ?? plain ?? '').replace(/\\(.)/g, '$1')]),
  )
  return serverUrl({
    HOST: pairs.get('host'),
    PORT: pairs.get('port'),
    NAME: pairs.get('dbname'),
    USER: pairs.get('user'),
    PASSWORD: pairs.get('password'),
  })
}

const serverUrl = (given: Readonly<Record<string, string | undefined>>): string => {
  const { HOST = 'localhost', PORT = '5432', NAME = 'geodb', USER = 'pipeline', PASSWORD = '' } = given
  const user = `${encodeURIComponent(USER)}:${encodeURIComponent(PASSWORD)}`
  // A folder is the place of a socket.
  const host = HOST.startsWith('/') ? encodeURIComponent(HOST) : HOST
  return `postgres://${user}@${host}:${PORT}/${encodeURIComponent(NAME)}`
}

const stateFolder = (env: Env): string =>
  join(env['XDG_STATE_HOME'] ?? join(env['HOME'] ?? homedir(), '.local', 'state'), 'run-archiver')

/** A folder for what a tracked file's path is made of. */
export const splitPath = (path: string): { readonly folder: string; readonly name: string } => ({
  folder: dirname(path),
  name: path.slice(path.lastIndexOf('/') + 1),
})
