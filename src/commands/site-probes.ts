import { counted } from '../common/counted.ts'
import { access, constants, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import type { Context } from '../app/context.ts'
import { openArchiver } from '../app/open-archiver.ts'
import type { Config, ReadConfig } from '../config/load-config.ts'
import { ArchiverError, errnoOf } from '../errors.ts'
import type { Listing } from '../stores/store.ts'
import { partProbes } from './part-probes.ts'
import type { Probe } from './probe.ts'
import { databasePlace } from '../sql/database-url.ts'
import { openDatabase } from '../sql/open-database.ts'
import { probeMail } from '../tracking/alerts/email.ts'

const RUN_SECTIONS = ['source_files', 'artdaq_db', 'ucon_db']

/** Sections that every command may have. What else stands in a file says what it is for. */
const SHARED_SECTIONS = ['app', 'logging', 'ledger', 'reporting', 'carbon', 'metrics']

/** Whether a configuration archives runs: it has a section for that, or none for anything else. */
export const archivesRuns = (given: ReadonlySet<string>): boolean =>
  RUN_SECTIONS.some((name) => given.has(name)) || [...given].every((name) => SHARED_SECTIONS.includes(name))

const sectionsOf = ({ answers }: ReadConfig): ReadonlySet<string> =>
  new Set(
    answers.flatMap(({ setting, source }) =>
      source.type === 'file' ? [setting.path.replace(/\..*/s, '')] : [],
    ),
  )

/** A look at everything that a configuration points at. Nothing is created, written or sent. */
export const probesOf = async (
  path: string,
  read: ReadConfig,
  context: Context,
): Promise<readonly Probe[]> => [
  { name: 'work_dir', setting: 'app.work_dir', probe: () => writable(read.config.app.workDir) },
  ...(archivesRuns(sectionsOf(read)) ? await storeProbes(path, read.config, context) : []),
  ...ledgerProbe(read.config),
  ...channelProbes(read.config),
  ...trackingProbes(read.config),
  ...metricsProbes(read.config),
  ...partProbes(path, read.config, context),
]

const storeProbes = async (path: string, config: Config, context: Context): Promise<readonly Probe[]> => {
  const silent = { ...context, err: () => undefined } // its warnings are shown already
  const { records, artdaq, archive } = await openArchiver(path, silent)
  return [
    {
      name: 'state files',
      setting: 'app.import_state_file',
      probe: () => stateFolders(config),
    },
    {
      name: 'run records',
      setting: 'source_files.run_records_dir',
      probe: async () => {
        const { runs, ambiguous } = await records.list()
        if (runs.union(ambiguous).isEmpty) await refuseLostRecords(artdaq, config.sourceFiles.runRecordsDir)
        return `${counted(runs.size, 'run')} in ${config.sourceFiles.runRecordsDir}`
      },
    },
    {
      name: 'artdaqDB',
      setting: 'artdaq_db.database_uri',
      probe: answering((signal) => artdaq.probe(signal)),
    },
    { name: 'UconDB', setting: 'ucon_db.server_url', probe: answering((signal) => archive.probe(signal)) },
  ]
}

/** A disk that is not mounted looks like a folder without records: a pass stops at it, so this look says it too. */
const refuseLostRecords = async (artdaq: { list(): Promise<Listing> }, directory: string): Promise<void> => {
  const stored = await artdaq.list().catch(() => undefined) // what is wrong with it, its own line says
  if (stored === undefined || stored.runs.isEmpty) return
  throw new ArchiverError('SOURCE_UNAVAILABLE', `${directory} is empty, and artdaqDB is not`, {
    hint: 'Is its disk mounted?',
  })
}

const ledgerProbe = ({ app, ledger }: Config): readonly Probe[] => {
  const place = databasePlace(ledger.url.reveal(), app.workDir)
  if (!place) return []
  const probe = async (): Promise<string> => {
    if (place.dialect === 'sqlite' && !(await exists(place.file))) {
      await writable(dirname(place.file))
      return `${place.file} will be made`
    }
    const { schema, password } = ledger
    const database = await openDatabase<object>({ place, schema, password, timeout: 5000 })
    try {
      await database.kysely.introspection.getTables()
      return 'answers'
    } finally {
      await database.close()
    }
  }
  return [{ name: 'ledger', setting: 'ledger.url', probe }]
}

const channelProbes = ({ reporting: { email, slack, webhook, ntfy, ping } }: Config): readonly Probe[] => [
  ...(email.enabled
    ? [
        {
          name: 'e-mail',
          setting: 'reporting.email.smtp_host',
          probe: () =>
            probeMail({
              host: email.smtpHost,
              port: email.smtpPort,
              useTls: email.smtpUseTls,
              user: email.smtpUser,
              password: email.smtpPassword,
              timeout: 5000,
            }),
        },
      ]
    : []),
  ...(slack.enabled
    ? [
        {
          name: 'Slack',
          setting: slack.webhookUrl ? 'reporting.slack.webhook_url' : 'reporting.slack.bot_token',
          probe: responding(slack.webhookUrl?.reveal() ?? 'https://slack.com/api/api.test'),
        },
      ]
    : []),
  ...(webhook.enabled && webhook.url
    ? [{ name: 'webhook', setting: 'reporting.webhook.url', probe: responding(webhook.url.reveal()) }]
    : []),
  ...(ntfy.enabled && ntfy.url
    ? [{ name: 'ntfy', setting: 'reporting.ntfy.url', probe: responding(ntfy.url.reveal()) }]
    : []),
  // A request of any kind would count as a sign of life.
  ...(ping.enabled && ping.url
    ? [{ name: 'ping', setting: 'reporting.ping.url', probe: acceptingAt(ping.url.reveal()) }]
    : []),
]

const trackingProbes = ({ tracking: { url, openlineageUrl, openlineageFile } }: Config): readonly Probe[] => [
  ...(url ? [{ name: 'tracking', setting: 'tracking.url', probe: responding(url) }] : []),
  ...(openlineageUrl
    ? [{ name: 'OpenLineage', setting: 'tracking.openlineage_url', probe: responding(openlineageUrl) }]
    : []),
  ...(openlineageFile === undefined
    ? []
    : [
        {
          name: 'OpenLineage file',
          setting: 'tracking.openlineage_file',
          probe: () => writableThere(dirname(openlineageFile)),
        },
      ]),
]

const metricsProbes = ({ carbon, metrics }: Config): readonly Probe[] => [
  ...(carbon.enabled
    ? [
        {
          name: 'Carbon',
          setting: 'carbon.host',
          probe: async (signal: AbortSignal) => accepting(carbon.host, carbon.port, signal),
        },
      ]
    : []),
  ...(metrics.textfile === undefined
    ? []
    : [
        {
          name: 'textfile folder',
          setting: 'metrics.textfile',
          probe: () => writableThere(dirname(metrics.textfile ?? '')),
        },
      ]),
]

const answering =
  (probe: (signal: AbortSignal) => Promise<void>) =>
  async (signal: AbortSignal): Promise<string> => {
    await probe(signal)
    return 'answers'
  }

/** Any answer will do: a channel is not sent a message to try it (`run-archiver notify` does that). */
const responding = (url: string) => async (signal: AbortSignal) => {
  const { status } = await fetch(url, { method: 'HEAD', redirect: 'manual', signal })
  return `answers (HTTP ${status})`
}

const accepting = (host: string, port: number, signal: AbortSignal): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.destroy()
      resolve('accepts connections')
    })
  })

const acceptingAt =
  (url: string) =>
  (signal: AbortSignal): Promise<string> => {
    const { hostname, port, protocol } = new URL(url)
    return accepting(
      hostname.replace(/^\[|\]$/g, ''),
      Number(port || (protocol === 'https:' ? 443 : 80)),
      signal,
    )
  }

const exists = async (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return false
      throw error
    },
  )

/** The folders of state and failure logs. Of them a pass makes work_dir alone: another one that is not there may be on a disk that is not mounted. */
const stateFolders = async ({ app }: Config): Promise<string> => {
  const files = [app.importStateFile, app.importFailureLog, app.migrateStateFile, app.migrateFailureLog]
  const folders = [...new Set(files.map((file) => dirname(file)))].sort(
    (a, b) => Number(b === app.workDir) - Number(a === app.workDir),
  )
  const found = folders.map((folder) => (folder === app.workDir ? writable(folder) : writableThere(folder)))
  return (await Promise.all(found)).join('; ')
}

/** A folder that nothing makes. */
const writableThere = async (folder: string): Promise<string> => {
  if (!(await exists(folder))) throw new Error(`there is no folder ${folder}; it is not made`)
  return writable(folder)
}

/** A folder that may be written, or whose nearest ancestor may be, so that it can be made. */
const writable = async (folder: string, wanted = folder): Promise<string> => {
  if (!(await exists(folder))) return writable(dirname(folder), wanted)
  if (!(await stat(folder)).isDirectory()) throw new Error(`${folder} is not a folder`)
  await access(folder, constants.W_OK | constants.X_OK)
  return folder === wanted ? `${wanted} can be written` : `${wanted} will be made`
}
