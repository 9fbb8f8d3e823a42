import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { blobOf } from '../core/blob.ts'
import { toDocuments } from '../core/convert/to-documents.ts'
import { tryFhicl } from '../core/fhicl/detect.ts'
import type { RunDocuments, RunRecord, StoredRun } from '../core/run-record.ts'
import type { Archive, DocumentStore } from '../core/store.ts'
import { type Config, readConfig } from '../config.ts'
import { type Redact, redactor } from '../core/redact.ts'
import { secretsOf } from '../config/secrets-of.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import { BUILT_IN_SCHEMA } from '../core/convert/schema.ts'
import { monotonic, now } from '../host.ts'
import type { StageName } from '../stages/stage.ts'
import { ListingCache } from '../state/listing-cache.ts'
import { type Remembered, StageMemory, type StageMemoryOptions } from '../state/memory.ts'
import { StateFile } from '../state/state-file.ts'
import { WatchList } from '../state/watch-list.ts'
import { RunRecords } from '../stores/run-records.ts'
import type { Context } from './context.ts'

/** The parts of an archiver, opened from its configuration. Nothing is created, connected or locked by opening. */
export interface Archiver {
  readonly config: Config
  /** Masks the secrets of the configuration in any text. */
  readonly redact: Redact
  readonly records: RunRecords
  readonly artdaq: DocumentStore
  readonly archive: Archive
  readonly cache: ListingCache
  readonly watch: WatchList
  /** Paths of the files in work_dir that are replaced whole. */
  readonly writes: readonly string[]
  /** A stage's state and failure log, for whoever holds the lock. */
  memory(stage: StageName, holder: Pick<StageMemoryOptions, 'assertHeld' | 'warn' | 'corrupt'>): StageMemory
  /** The same for whoever only reads. */
  peek(stage: StageName): Promise<Remembered>
  readonly convert: (record: RunRecord) => RunDocuments
  readonly pack: (stored: StoredRun) => Buffer
}

/** What a pass may change of the configuration, from the command line. */
export interface Overrides {
  readonly overrideConflict?: number | undefined
}

/** Opens an archiver. Throws CONFIG_INVALID, also where the schema that the configuration names cannot be read. */
export const openArchiver = async (
  configFile: string,
  context: Context,
  overrides: Overrides = {},
): Promise<Archiver> => {
  const { config, warnings } = readConfig(configFile, context.env)
  for (const warning of warnings) context.err(`warning: ${warning}\n`)
  const { app } = config
  const listings = join(app.workDir, '.listings.json')
  const watched = join(app.workDir, '.watched-records.json')
  const schema = await readSchema(config.artdaqDb.fclConfDir)
  const generate = new Set<string>(config.fhiclizeGenerate)
  return {
    config,
    redact: redactor(secretsOf(config)),
    records: new RunRecords({
      directory: config.sourceFiles.runRecordsDir,
      settleSeconds: config.sourceFiles.settleSeconds,
      incompleteAfterSeconds: config.sourceFiles.incompleteAfterSeconds,
      maxRecordBytes: config.sourceFiles.maxRecordMb * 1_000_000,
      maxRecordFiles: config.sourceFiles.maxRecordFiles,
      now,
    }),
    artdaq: await openArtdaq(config, context),
    archive: await openArchive(config, context, overrides),
    cache: new ListingCache(listings, monotonic),
    watch: new WatchList(watched),
    writes: [
      app.importStateFile,
      app.importFailureLog,
      app.migrateStateFile,
      app.migrateFailureLog,
      listings,
      watched,
    ],
    peek: (stage) =>
      new StageMemory({
        stage,
        ...memoryPaths(config, stage),
        now,
        warn: ignore,
        assertHeld: readOnly,
      }).peek(),
    memory: (stage, { assertHeld, warn, corrupt = ignore }) =>
      new StageMemory({ stage, ...memoryPaths(config, stage), now, warn, assertHeld, corrupt }),
    convert: (record) => toDocuments(record, { schema, generate, sha256, parse: tryFhicl }),
    pack: (stored) =>
      blobOf(
        stored,
        { content: config.uconDb.blobContent, otherFiles: config.uconDb.otherFiles === 'include' },
        now(),
      ),
  }
}

/** Lower-case hexadecimal. */
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const memoryPaths = ({ app }: Config, stage: StageName) =>
  stage === 'import'
    ? { stateFile: app.importStateFile, failureLog: app.importFailureLog }
    : { stateFile: app.migrateStateFile, failureLog: app.migrateFailureLog }

const ignore = (): void => undefined

const readOnly = (): never => {
  throw new Error('state may only be written by the holder of the lock')
}

const readSchema = async (directory: string | undefined): Promise<Buffer> =>
  directory === undefined
    ? Buffer.from(BUILT_IN_SCHEMA)
    : Buffer.from(await readNamed('artdaq_db.fcl_conf_dir', join(directory, 'schema.fcl')))

/** A file that a setting names, as text. */
const readNamed = (setting: string, path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: unknown) => {
    throw new ArchiverError('CONFIG_INVALID', `${setting}: ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
      hint: 'Name a file that this user may read, or leave the setting out.',
    })
  })

const openArtdaq = async ({ artdaqDb }: Config, { env }: Context): Promise<DocumentStore> => {
  const { openDocumentStore } = await import('../stores/artdaq/open.ts')
  return openDocumentStore({ ...artdaqDb, env, now })
}

const openArchive = async (
  config: Config,
  context: Context,
  { overrideConflict }: Overrides,
): Promise<Archive> => {
  const { uconDb } = config
  if (uconDb.serverUrl.startsWith('file:')) {
    const { DirectoryArchive } = await import('../stores/ucon/directory-archive.ts')
    return new DirectoryArchive({
      root: fileURLToPath(uconDb.serverUrl),
      folder: uconDb.folderName || 'run_records',
      object: uconDb.objectName || 'configuration',
      now,
      expectExisting: await hasArchived(config),
    })
  }
  const { UconArchive } = await import('../stores/ucon/ucon-archive.ts')
  const { caFile } = uconDb
  return new UconArchive({
    serverUrl: uconDb.serverUrl,
    folder: uconDb.folderName,
    object: uconDb.objectName,
    user: uconDb.writerUser,
    password: uconDb.writerPassword,
    verify: uconDb.verify,
    timeoutMs: uconDb.timeoutSeconds * 1000,
    connections: uconDb.connections,
    ca: caFile === undefined ? undefined : await readNamed('ucon_db.ca_file', caFile),
    tlsRejectUnauthorized: context.env['NODE_TLS_REJECT_UNAUTHORIZED'],
    overrideConflict,
    expectExisting: await hasArchived(config),
    now,
    random: Math.random,
  })
}

/** Whether the migrate stage has ever stored anything: then an archive that is not there is an unmounted disk. */
const hasArchived = async (config: Config): Promise<boolean> => {
  const { stateFile } = memoryPaths(config, 'migrate')
  const state = await new StateFile(stateFile).read().catch(() => undefined) // a damaged state is for the pass to tell
  return (state?.lastContiguousRun ?? 0) > 0
}
