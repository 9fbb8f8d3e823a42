import { randomUUID } from 'node:crypto'
import { dirname } from 'node:path'
import { plainLog } from '../platform/log/logger.ts'
import { redact as redactByLook } from '../common/redact.ts'
import type { Secret } from '../common/secret.ts'
import { messageOf } from '../errors.ts'
import { identity, now } from '../platform/host.ts'
import type { Places } from '../rows/server.ts'
import type { Archiver } from '../runs/archiver.ts'
import { noteAction } from '../tracking/api/action-events.ts'
import { HttpReports } from '../tracking/api/http-reports.ts'
import { isWord } from '../tracking/client/operation-fields.ts'
import { OPERATIONS, operationSchema } from '../tracking/client/operations.ts'
import type { Reports } from '../web/api/writes.ts'
import type { Assets } from '../web/assets.ts'
import type { RunsSnapshot } from '../web/model.ts'
import type { PageSources } from '../web/sources.ts'
import { pageServer, type PageServer } from '../web/server.ts'
import type { Context } from './context.ts'
import type { GatherPlaces } from './listed-places.ts'
import { assertGuarded, basePath, hostNames } from './page-address.ts'
import { pageAlerts } from './page-alerts.ts'
import { pageActions } from './page-actions.ts'
import { pageLedger, type PageLedger } from './page-ledger.ts'
import { pageMetrics } from './page-metrics.ts'
import { pageQueue } from './page-queue.ts'
import { pageRecords } from './page-records.ts'
import { pageRows } from './page-rows.ts'
import { pageRuns } from './page-runs.ts'
import { databasePassword } from '../sql/fresh-password.ts'

export interface PageOptions {
  /** The configuration's path, as commands on the pages name it. */
  readonly config: string
  /** A ledger's URL: a page without an archiver. */
  readonly ledger?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly tokenFile?: string | undefined
  readonly basePath?: string | undefined
  readonly publicUrl?: string | undefined
  /** The words that start this program, for what the page may start. */
  readonly program?: readonly string[] | undefined
  readonly assets: Assets
  /** The connections that the `rows` of a configuration name. */
  readonly placesOf: (config: Archiver['config']) => Places
  /** The token of a file, which is read again when the file is replaced. Throws CONFIG_INVALID. */
  readonly readToken: (path: string) => Promise<Secret>
}

export interface OpenPage {
  readonly server: PageServer
  readonly sources: PageSources
  readonly address: { readonly host: string; readonly port: number }
  readonly base: string
  /** Lists the places; undefined without an archiver. */
  listed(): Promise<RunsSnapshot | undefined>
  /** Throws CONFIG_INVALID for an address that others reach and no token guards. */
  guardAddress(address: string): void
  /** The port that was bound, where it was left to the system. */
  listening(port: number): void
  close(): Promise<void>
}

/** Joins the ledger, the three places and the page. Throws CONFIG_INVALID for an address that others reach and no token guards. */
export const openPage = async (
  archiver: Archiver | undefined,
  options: PageOptions,
  context: Context,
  gather: GatherPlaces,
): Promise<OpenPage> => {
  const settings = archiver?.config.serve
  const host = options.host ?? settings?.host ?? '127.0.0.1'
  const port = options.port ?? settings?.port ?? 8090
  let actualPort = port
  const base = basePath(options.basePath ?? settings?.basePath ?? '')
  const publicUrl = options.publicUrl ?? settings?.publicUrl
  const tokenFile = options.tokenFile ?? settings?.tokenFile
  const token = tokenFile === undefined ? undefined : await options.readToken(tokenFile)
  const reportFile = settings?.reportTokenFile
  const writeToken = reportFile === undefined ? undefined : await options.readToken(reportFile)
  const guardAddress = (address: string): void => assertGuarded(address, token !== undefined)
  guardAddress(host)
  const log = plainLog({
    level: 'warn',
    format: 'human',
    out: (line) => context.err(`${line}\n`),
    journald: false,
    now,
  })
  const ledgerSettings = archiver?.config.ledger
  const ledger = pageLedger({
    url: options.ledger ?? ledgerSettings?.url.reveal() ?? 'off',
    workDir: archiver?.config.app.workDir ?? '.',
    schema: ledgerSettings?.schema ?? 'tasker',
    // It belongs to the configured URL alone.
    password: options.ledger === undefined && ledgerSettings ? databasePassword(ledgerSettings) : undefined,
    foreignSilence: (ledgerSettings?.foreignHostTimeoutSeconds ?? 3600) * 1000,
    version: context.version,
    log,
  })
  const queue = pageQueue(archiver)
  const rows = pageRows(archiver, options.placesOf)
  const records = pageRecords(archiver)
  const runs = archiver && pageRuns(archiver, options.config, gather, (message) => log.warn(message))
  const logFile = archiver?.config.app.logFile
  const sources: PageSources = {
    site: settings?.site ?? identity().host,
    version: `run-archiver ${context.version}`,
    now,
    ledger,
    runs,
    backlog: queue?.overview,
    alerts: pageAlerts(archiver, ledger, queue),
    rows: rows?.reads,
    records: records?.reads,
    changes: {
      ...(runs && { runs: runs.revision }),
      ...(rows && { rows: rows.revision }),
      ...(records && { records: records.revision }),
      ...(queue && { backlog: queue.revision }),
    },
    logRoots: [...(settings?.logRoots ?? []), ...(logFile === undefined ? [] : [dirname(logFile)])],
    host: identity().host,
    redact: archiver?.redact ?? redactByLook,
  }
  const session = randomUUID()
  const hosts = new Set(hostNames(host, port, publicUrl))
  const { version, commit = '' } = context
  const metrics = pageMetrics({ archiver, queue, ledger, runs, version, commit })
  const server = pageServer({
    sources,
    assets: options.assets,
    place: () => `${host.includes(':') ? `[${host}]` : host}:${actualPort}`,
    keys: settings?.keys ?? true,
    actions:
      archiver &&
      options.program &&
      pageActions({
        program: options.program,
        config: options.config,
        ledger,
        now,
        note: async (event, runId = session) => {
          await ledger
            ?.use((database) => noteAction(database, runId, event))
            .catch((error: unknown) => log.warn(`The action is not in the ledger: ${messageOf(error)}`))
        },
      }),
    metrics,
    reports: ledger && reportsTo(ledger, sources.redact, archiver?.config.tracking.stagePatterns),
    hosts,
    token,
    writeToken,
    base,
    secure: publicUrl?.startsWith('https:') ?? false,
    now,
  })
  return {
    server,
    sources,
    address: { host, port },
    base,
    listed: async () => runs?.listed(),
    guardAddress,
    listening: (bound) => {
      actualPort = bound
      for (const name of hostNames(host, bound, undefined)) hosts.add(name)
    },
    close: async () => {
      await Promise.all([queue?.close(), rows?.close(), records?.close()])
      await ledger?.close()
    },
  }
}

const reportsTo = (
  ledger: PageLedger,
  redact: PageSources['redact'],
  stagePatterns: ReadonlyMap<string, string> | undefined,
): Reports => {
  const reports = new HttpReports({ use: (work) => ledger.use(work), now, redact, stagePatterns })
  return {
    begin: (value) => reports.begin(value),
    report: (id, value) => reports.report(id, value),
    rows: (value) => reports.rows(value),
    fields: (op) => (isWord(OPERATIONS, op) ? operationSchema(op) : {}),
  }
}
