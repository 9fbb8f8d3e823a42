import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Context } from '../app/context.ts'
import { assertGuarded, isLoopback } from '../app/page-address.ts'
import { hasQueue, openQueue } from '../app/open-queue.ts'
import type { Config } from '../config/load-config.ts'
import { ArchiverError } from '../errors.ts'
import { folderProblems } from '../rows/preflight/archive-files.ts'
import { dialectFor } from '../rows/server.ts'
import { databasePassword } from '../sql/fresh-password.ts'
import { databasePlace } from '../sql/database-url.ts'
import { openSession } from '../sql/open-session.ts'
import type { SessionOptions } from '../sql/session.ts'
import { readTask, type ReadTask } from './records/open-task.ts'
import { archiveFilesOf, placesOf } from './rows/rows-config.ts'
import { pageToken } from './page-token.ts'
import type { Probe } from './probe.ts'

/** A look at what rows, records, the queue and the page point at. Nothing is created or written. */
export const partProbes = (path: string, config: Config, context: Context): readonly Probe[] => [
  ...queueProbe(config),
  ...rowsProbes(config),
  ...recordsProbes(path, config, context),
  ...pageProbe(config, context),
]

/** What keeps `serve` from starting, where the configuration has something about whom it lets in. */
const pageProbe = (
  { serve: { host, tokenFile, reportTokenFile } }: Config,
  context: Context,
): readonly Probe[] => {
  const files = [tokenFile, reportTokenFile].filter((file) => file !== undefined)
  if (files.length === 0 && isLoopback(host)) return []
  const probe = async (): Promise<string> => {
    assertGuarded(host, tokenFile !== undefined)
    for (const file of files) await pageToken(file, context)
    return `for ${isLoopback(host) ? 'this host' : 'others too'}, ${tokenFile === undefined ? 'without' : 'with'} a token`
  }
  return [{ name: 'page', setting: isLoopback(host) ? 'serve.token_file' : 'serve.host', probe }]
}

const queueProbe = ({ app, queue }: Config): readonly Probe[] => {
  if (!hasQueue(queue)) return []
  const probe = async (): Promise<string> => {
    const place = databasePlace(queue.url.reveal(), app.workDir, 'queue.url')
    if (place?.dialect === 'sqlite' && !existsSync(place.file)) return `${place.file} will be made`
    await (await openQueue(queue, app.workDir, 'reads')).close()
    return 'answers'
  }
  return [{ name: 'queue', setting: 'queue.url', probe }]
}

const rowsProbes = (config: Config): readonly Probe[] => {
  const { rows } = config
  if (rows.source === undefined) return []
  const places = placesOf(config)
  const files = archiveFilesOf(config)
  const table = rows.archive.table || rows.archiveTable
  const probes: Probe[] = [
    { name: 'rows: source', setting: 'rows.source', probe: () => hasTable(places.source, rows.table) },
  ]
  if (files)
    probes.push({ name: 'rows: archive', setting: 'rows.archive.url', probe: () => isArchive(files) })
  else if (table !== '')
    probes.push({
      name: 'rows: archive',
      setting: places.archive ? 'rows.archive.url' : 'rows.archive_table',
      probe: () => hasTable(places.archive ?? places.source, table),
    })
  const { log } = places
  if (log) probes.push({ name: 'rows: log', setting: 'rows.log', probe: () => hasTable(log, '') })
  for (const [at, replica] of rows.throttle.replicas.entries())
    probes.push({
      name: `rows: replica ${at + 1}`,
      setting: 'rows.throttle.replicas',
      probe: () => {
        const inUrl = databasePassword({ url: replica, password: undefined })
        const password = inUrl?.current() ?? places.source.password
        return hasTable({ url: replica.reveal(), password, timeout: TIMEOUT }, '')
      },
    })
  return probes
}

/** Milliseconds for a connection. */
const TIMEOUT = 5000

/** Connects, and looks for a table; an empty name is not looked for. */
const hasTable = async (place: SessionOptions, name: string): Promise<string> => {
  const session = await openSession({ ...place, timeout: TIMEOUT })
  try {
    if (name === '') return 'answers'
    const table = await dialectFor(session).describe(session, name)
    if (!table) throw new ArchiverError('NOT_FOUND', `there is no table ${name}`)
    return `answers, and has ${table.schema}.${table.name}`
  } finally {
    await session.close()
  }
}

const isArchive = async (files: Parameters<typeof folderProblems>[0]): Promise<string> => {
  const [problem] = await folderProblems(files)
  if (problem) throw new ArchiverError('ROWS_REFUSED', problem.message, { hint: problem.cure })
  return `${files.folder} takes files`
}

const recordsProbes = (path: string, config: Config, context: Context): readonly Probe[] => {
  const { records } = config
  const probes: Probe[] = []
  for (const task of records.tasks.keys()) {
    const read = (): Promise<ReadTask> => readTask({ task, config: path }, context)
    const of = (what: string): string => `records ${task}: ${what}`
    probes.push({
      name: of('mapping'),
      setting: 'records.tasks',
      probe: async () => `${(await read()).mappingFile} is a mapping`,
    })
    if (records.targetUrl)
      probes.push({
        name: of('target'),
        setting: 'records.target_url',
        probe: async () => answering(await read(), 'target'),
      })
    if (records.sourceUrl)
      probes.push({
        name: of('source'),
        setting: 'records.source_url',
        probe: async () => answering(await read(), 'source'),
      })
  }
  const { sourceFiles } = records
  if (sourceFiles !== undefined)
    probes.push({
      name: 'records: source',
      setting: 'records.source_files',
      probe: async () => {
        const folder = resolve(dirname(path), sourceFiles)
        if (!(await stat(folder)).isDirectory())
          throw new ArchiverError('SOURCE_UNAVAILABLE', `${folder} is not a folder`)
        return `${folder} is there`
      },
    })
  return probes
}

const answering = async (task: ReadTask, side: 'source' | 'target'): Promise<string> => {
  const place = side === 'source' ? task.sourcePlace() : task.targetPlace()
  // Opening it would make it.
  if (place.dialect === 'sqlite' && !existsSync(place.file))
    throw new ArchiverError('STORE_UNAVAILABLE', `there is no file ${place.file}`, {
      hint: 'make the database with its tables first',
    })
  const database = await (side === 'source' ? task.openSource() : task.openTarget())
  try {
    await database.session.rows('SELECT 1 AS one')
    return 'answers'
  } finally {
    await database.close()
  }
}
