import { createHash } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import type { Context } from '../../app/context.ts'
import { loadConfig, type Config } from '../../config/load-config.ts'
import { ArchiverError } from '../../errors.ts'
import type { Mapping } from '../../records/mapping/model.ts'
import { readMapping } from '../../records/mapping/read-mapping.ts'
import { FilesSource } from '../../records/sources/files-source.ts'
import type { RecordSource } from '../../records/sources/source.ts'
import { TableSource } from '../../records/sources/table-source.ts'
import type { RecordsDatabase } from '../../records/sql/database.ts'
import { openRecordsDatabase } from '../../records/sql/open-database.ts'
import { ensureLog } from '../../records/sql/processing-log.ts'
import { catalogueOf } from '../../records/sql/store-item.ts'
import type { CatalogueColumn } from '../../records/sql/catalogue.ts'
import { databasePlace } from '../../sql/database-url.ts'
import type { MapThreadStart } from '../../records/workers/map-task.ts'
import { mappingText } from './mapping-file.ts'

type RecordsConfig = Config['records']
type QueueConfig = Config['queue']

export interface TaskOptions {
  readonly task: string
  readonly config: string
  /** Instead of the one that the configuration names. */
  readonly mapping?: string
  /** `files:FOLDER` instead of the configured source. */
  readonly source?: string
  readonly workers?: string
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
  const { targetUrl, sourceUrl } = records
  const open = async (
    url: string,
    setting: string,
    password: typeof records.targetPassword,
  ): Promise<RecordsDatabase> => {
    const place = databasePlace(url, workDir, setting)
    if (!place) throw new ArchiverError('CONFIG_INVALID', `${setting} is off`)
    return openRecordsDatabase({
      place,
      password,
      connections: workers,
      timeout: records.timeoutSeconds * 1000,
    })
  }
  if (targetUrl === undefined) throw new ArchiverError('CONFIG_INVALID', 'records.target_url is missing')
  const openTarget = () => open(targetUrl.reveal(), 'records.target_url', records.targetPassword)
  return {
    mapping: readMapping(text, mappingFile),
    mappingFile,
    mappingText: { text, file: mappingFile },
    mappingSha256: createHash('sha256').update(text).digest('hex'),
    records,
    queue,
    workDir,
    workers,
    openTarget,
    openSource: () =>
      sourceUrl === undefined
        ? openTarget()
        : open(sourceUrl.reveal(), 'records.source_url', records.sourcePassword),
  }
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
      catalogue: await preparedTarget(target, mapping),
      queue,
      workDir,
      workers,
      batchSize: records.batchSize,
      timeout: records.timeoutSeconds * 1000,
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
    source: new TableSource(await openSource(), mapping.source, keyType),
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

const workersOf = (given: string | undefined, configured: number): number => {
  if (given === undefined) return configured
  if (/^[1-9]\d?$/.test(given)) return Number(given)
  throw new ArchiverError('USAGE', `--workers: "${given}" is not a number from 1 to 99`)
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

const preparedTarget = async (target: RecordsDatabase, mapping: Mapping): Promise<OpenTask['catalogue']> => {
  try {
    await ensureLog(target, mapping.record.keyType)
    const catalogue = await catalogueOf(target, mapping)
    const missing = mapping.tables.filter(({ name }) => !catalogue.has(name)).map(({ name }) => name)
    const wrong = mapping.tables.flatMap(({ name, rows }) =>
      rows.flatMap(({ columns }) =>
        columns.flatMap((column) =>
          catalogue.get(name)?.has(column.name) === false ? [`${name}.${column.name}`] : [],
        ),
      ),
    )
    if (missing.length + wrong.length > 0)
      throw new ArchiverError(
        'STORE_REFUSED',
        `the target has no ${[...missing, ...new Set(wrong)].join(', ')}`,
        {
          hint: 'make the tables first, or mend the mapping; nothing was written',
        },
      )
    return catalogue
  } catch (cause) {
    if (cause instanceof ArchiverError) throw cause
    throw new ArchiverError('STORE_UNAVAILABLE', 'cannot use the target of records', { cause })
  }
}
