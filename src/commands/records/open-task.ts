import { createHash } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import type { Context } from '../../app/context.ts'
import { loadConfig, type Config } from '../../config/load-config.ts'
import { databasePassword } from '../../sql/fresh-password.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import type { Mapping } from '../../records/mapping/model.ts'
import { readMapping } from '../../records/mapping/read-mapping.ts'
import { missingInTarget } from '../../records/run/plan-into-target.ts'
import { FilesSource } from '../../records/sources/files-source.ts'
import type { RecordSource } from '../../records/sources/source.ts'
import { TableSource } from '../../records/sources/table-source.ts'
import type { RecordsDatabase } from '../../records/sql/database.ts'
import { openRecordsDatabase } from '../../records/sql/open-database.ts'
import { adoptLog, type AdoptedLog } from '../../records/sql/adopt-log.ts'
import { ensureLog, LOG_TABLE, ORIGINAL_LOG } from '../../records/sql/log-table.ts'
import { catalogueOf } from '../../records/sql/catalogue.ts'
import type { CatalogueColumn } from '../../records/sql/catalogue-column.ts'
import { recordsPlace, type RecordsPlace } from '../../records/sql/records-url.ts'
import { requireTransactions } from '../../records/sql/table-engines.ts'
import type { MapThreadStart } from '../../records/workers/map-task.ts'
import { mappingText } from './mapping-file.ts'
import { timeoutOf, workersOf } from './bounded-flags.ts'
import { namedTarget, targetNameOf, type TargetFlags, type TargetName } from './named-target.ts'
import { targetPassword } from './target-password.ts'

type RecordsConfig = Config['records']
type QueueConfig = Config['queue']

export interface TaskOptions extends TargetFlags {
  readonly task: string
  readonly config: string
  /** Instead of the one that the configuration names. */
  readonly mapping?: string
  /** `files:FOLDER` instead of the configured source. */
  readonly source?: string
  readonly workers?: string
  /** Seconds that a connection, and a statement, may take. */
  readonly connectionTimeout?: string
  /** Takes over the log of the original, where the target has it. */
  readonly adoptLog?: boolean
}

/** A task with everything that it works on, open. */
export interface OpenTask {
  readonly name: string
  readonly mapping: Mapping
  readonly mappingSha256: string
  /** The text of the mapping file. */
  readonly mappingText: MapThreadStart
  readonly source: RecordSource
  readonly sourceName: string
  readonly target: RecordsDatabase
  readonly targetName: TargetName
  readonly catalogue: ReadonlyMap<string, ReadonlyMap<string, CatalogueColumn>>
  readonly queue: QueueConfig
  readonly workDir: string
  readonly workers: number
  readonly batchSize: number
  /** Milliseconds. */
  readonly timeout: number
  close(): Promise<void>
}

/** A task's mapping and settings, read; no database is open yet. */
export interface ReadTask {
  readonly mapping: Mapping
  readonly mappingFile: string
  readonly mappingText: MapThreadStart
  readonly mappingSha256: string
  readonly records: RecordsConfig
  readonly queue: QueueConfig
  readonly workDir: string
  readonly workers: number
  /** Milliseconds. */
  readonly timeout: number
  readonly targetName: TargetName
  /** Throws CONFIG_INVALID. */
  readonly targetPlace: () => RecordsPlace
  /** The target where the payloads are there. Throws CONFIG_INVALID. */
  readonly sourcePlace: () => RecordsPlace
  readonly openSource: () => Promise<RecordsDatabase>
  readonly openTarget: () => Promise<RecordsDatabase>
}

/** Reads the configuration and the mapping of a task. Throws CONFIG_INVALID or MAPPING_INVALID. */
export const readTask = async (options: TaskOptions, context: Context): Promise<ReadTask> => {
  const { app, records, queue } = await loadConfig(options.config, context.env, ['app', 'records', 'queue'])
  const { workDir } = app
  const mappingFile = options.mapping ?? mappingFileOf(options, records.tasks)
  const text = await mappingText(mappingFile)
  const workers = workersOf(options.workers, records.workers)
  const timeout = timeoutOf(options.connectionTimeout, records.timeoutSeconds)
  const { sourceUrl } = records
  const targetUrl = namedTarget(options, { url: records.targetUrl?.reveal(), engine: records.target })
  const open = (place: RecordsPlace, password: typeof records.targetPassword): Promise<RecordsDatabase> =>
    openRecordsDatabase({ place, password, connections: workers, timeout })
  const targetPlace = () => placeOf(targetUrl, workDir, 'records.target_url')
  const sourcePlace = () =>
    sourceUrl === undefined ? targetPlace() : placeOf(sourceUrl.reveal(), workDir, 'records.source_url')
  const password = targetPassword(records, targetUrl, options, context)
  const openTarget = async () => open(targetPlace(), password)
  return {
    mapping: readMapping(text, mappingFile),
    mappingFile,
    mappingText: { text, file: mappingFile },
    mappingSha256: createHash('sha256').update(text).digest('hex'),
    records,
    queue,
    workDir,
    workers,
    timeout,
    targetName: targetNameOf(targetUrl),
    targetPlace,
    sourcePlace,
    openTarget,
    openSource: async () =>
      sourceUrl === undefined
        ? openTarget()
        : open(sourcePlace(), databasePassword({ url: sourceUrl, password: records.sourcePassword })),
  }
}

const placeOf = (url: string, workDir: string, setting: string): RecordsPlace => {
  const place = recordsPlace(url, workDir, setting)
  if (!place) throw new ArchiverError('CONFIG_INVALID', `${setting} is off`)
  return place
}

/**
 * Opens a task of the configuration: its mapping, its source and its target, where `processing_log` is made if it is missing. Throws
 * CONFIG_INVALID, MAPPING_INVALID, SOURCE_UNAVAILABLE or STORE_UNAVAILABLE.
 */
export const openTask = async (options: TaskOptions, context: Context): Promise<OpenTask> => {
  const read = await readTask(options, context)
  const { mapping, mappingSha256, mappingText, records, queue, workDir, workers } = read
  const target = await read.openTarget()
  try {
    const { source, sourceName } = await openTaskSource(read, options)
    return {
      name: options.task,
      mapping,
      mappingSha256,
      mappingText,
      source,
      sourceName,
      target,
      targetName: read.targetName,
      catalogue: await preparedTarget(target, mapping, async () => {
        if (options.adoptLog) adoptedLine(await adoptLog(target, mapping, options.task), context)
      }),
      queue,
      workDir,
      workers,
      batchSize: records.batchSize,
      timeout: read.timeout,
      close: async () => {
        await source.close()
        await target.close()
      },
    }
  } catch (error) {
    await target.close().catch(() => undefined)
    throw error
  }
}

/** Opens the source of a task alone. Writes nothing. Throws CONFIG_INVALID, SOURCE_UNAVAILABLE or STORE_UNAVAILABLE. */
export const openTaskSource = async (
  { mapping, records, openSource }: ReadTask,
  options: TaskOptions,
): Promise<{ readonly source: RecordSource; readonly sourceName: string }> => {
  const folder = sourceFolder(options, records.sourceFiles, mapping)
  const { keyType } = mapping.record
  if (folder !== undefined) return { source: new FilesSource(folder, keyType), sourceName: `files:${folder}` }
  return {
    source: new TableSource(await openSource(), mapping.source),
    sourceName: mapping.source.table ?? 'query',
  }
}

const mappingFileOf = ({ task, config }: TaskOptions, tasks: ReadonlyMap<string, string>): string => {
  const file = tasks.get(task)
  if (file !== undefined) return resolve(dirname(config), file)
  const names = [...tasks.keys()].join(', ')
  throw new ArchiverError('USAGE', `records.tasks has no task "${task}"`, {
    hint: names === '' ? 'records: { tasks: { NAME: mapping.yaml } }' : `there are: ${names}`,
  })
}

const adoptedLine = (adopted: AdoptedLog | undefined, context: Context): void => {
  if (!adopted) return
  const { stored, failed, unproven, baseTable } = adopted
  const left =
    unproven === 0 ? '' : `; ${unproven} that it calls stored have no row in ${baseTable} and are taken again`
  context.err(
    `the original's ${LOG_TABLE} is taken over: ${stored} stored, ${failed} failed${left}. It is kept as ${ORIGINAL_LOG}\n`,
  )
}

const sourceFolder = (
  { source, config }: TaskOptions,
  configured: string | undefined,
  mapping: Mapping,
): string | undefined => {
  if (source !== undefined) {
    if (source.startsWith('files:')) return resolve(source.slice(6))
    throw new ArchiverError('USAGE', `--source: "${source}" is not files:FOLDER`)
  }
  const folder = configured ?? mapping.source.files
  return folder === undefined ? undefined : resolve(dirname(config), folder)
}

const preparedTarget = async (
  target: RecordsDatabase,
  mapping: Mapping,
  adopt: () => Promise<void>,
): Promise<OpenTask['catalogue']> => {
  try {
    const catalogue = await catalogueOf(target, mapping)
    const missing = missingInTarget(mapping, catalogue)
    if (missing.length > 0)
      throw new ArchiverError('STORE_REFUSED', `the target has no ${missing.join(', ')}`, {
        hint: 'make the tables first, or mend the mapping; nothing was written',
      })
    await requireTransactions(target, [...mapping.tables.map(({ name }) => name), LOG_TABLE])
    await adopt()
    await ensureLog(target, mapping.record.keyType)
    return catalogue
  } catch (cause) {
    if (cause instanceof ArchiverError) throw cause
    throw new ArchiverError('STORE_UNAVAILABLE', `cannot use the target of records: ${messageOf(cause)}`, {
      cause,
      hint: 'look at records.target_url and its password, or at what --server, --database and --username name',
    })
  }
}
