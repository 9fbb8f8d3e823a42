import { join } from 'node:path'
import { FOREIGN_FILE } from '../runs/foreign-runs.ts'
import { packer } from '../stores/ucondb/blob/blob.ts'
import type { DocumentStore, Remember } from '../stores/store.ts'
import { type Config, readConfig } from '../config/load-config.ts'
import { redactor } from '../common/redact.ts'
import { secretsOf } from '../config/secrets-of.ts'
import { fileOfShare } from '../common/share.ts'
import { type Warn, Warnings } from '../common/warnings.ts'
import { readSchema } from '../stores/run-records/fhiclize/schema.ts'
import { openArchive } from '../stores/ucondb/open.ts'
import { MemoryBudget } from '../common/memory-budget.ts'
import { importSource } from '../runs/import-source.ts'
import { monotonic, now } from '../platform/host.ts'
import type { StageName } from '../common/stage-name.ts'
import { ListingCache } from '../runs/listing-cache.ts'
import { InHand } from '../state/in-flight-runs.ts'
import { StageMemory } from '../state/stage-state.ts'
import { StateFile } from '../state/state-file.ts'
import { WatchList } from '../state/recheck-list.ts'
import { RunRecords } from '../stores/run-records/source.ts'
import { converter, type CopyPlaces } from '../runs/workers/convert-run.ts'
import { Threads } from '../runs/workers/worker-pool.ts'
import type { Archiver, Overrides } from '../runs/archiver.ts'
import type { Context } from './context.ts'

/** Opens an archiver. Throws CONFIG_INVALID, also where the schema that the configuration names cannot be read. */
export const openArchiver = async (
  configFile: string,
  context: Context,
  overrides: Overrides = {},
): Promise<Archiver> => {
  const { config: read, warnings: doubts } = readConfig(configFile, context.env)
  const { share } = overrides
  const own = (path: string): string => (share ? fileOfShare(path, share) : path)
  const config = ofInstance(read, own)
  for (const warning of doubts) context.err(`warning: ${warning}\n`)
  const { app } = config
  const listings = own(join(app.workDir, '.listings.json'))
  const watched = own(join(app.workDir, '.watched-records.json'))
  const inHand = own(join(app.workDir, '.migrator_in_hand'))
  const { settleSeconds, incompleteAfterSeconds, maxRecordMb, maxRecordFiles, runRecordsDir } =
    config.sourceFiles
  const maxRecordBytes = maxRecordMb * 1_000_000
  const schema = await readSchema(config.artdaqDb.fclConfDir)
  const archive = await hasArchived(config, 'migrate')
  // What was migrated was imported before, also where the import's state is gone with its disk.
  const expected = { artdaq: archive || (await hasArchived(config, 'import')), archive }
  const settings = {
    schema,
    generate: config.fhiclizeGenerate,
    maxRecordBytes,
    maxRecordFiles,
    copies: copyPlaces(config, expected),
  }
  const convert = converter(settings)
  const warnings = new Warnings((message) => context.err(`warning: ${message}\n`))
  const cache = new ListingCache(listings, monotonic)
  const budget = new MemoryBudget(app.memoryMb * 1_000_000)
  const threads = new Threads({
    settings,
    file: context.threadFile,
    workers: app.parallelWorkers,
    placeOf: async (run) => artdaq.placeOf?.(run),
  })
  const records = new RunRecords({
    directory: runRecordsDir,
    settleSeconds,
    incompleteAfterSeconds,
    maxRecordBytes,
    maxRecordFiles,
    now,
    look: (path) => threads.look({ path }, NEVER),
  })
  const artdaq = await openArtdaq(config, context, {
    expectExisting: expected.artdaq,
    remember: (name, listed) => cache.list(name, listed),
    warn: warnings.warn,
  })
  return {
    config,
    redact: redactor(secretsOf(config)),
    warnings,
    records,
    threads,
    budget,
    ...importSource({ records, threads, convert, budget, maxRecordBytes }),
    artdaq,
    archive: await openArchive(config.uconDb, {
      env: context.env,
      stop: context.signal,
      overrideConflict: overrides.overrideConflict,
      expectExisting: expected.archive,
      warn: warnings.warn,
      now,
    }),
    cache,
    watch: new WatchList(watched),
    inHand: new InHand(inHand),
    writes: [
      app.importStateFile,
      app.importFailureLog,
      app.migrateStateFile,
      app.migrateFailureLog,
      listings,
      watched,
      inHand,
      // Replaced whole after a pass: a kill leaves their temporaries, too.
      ...['.proven.json', FOREIGN_FILE, 'waiting-since.txt', 'last-success.txt'].map((name) =>
        join(app.workDir, name),
      ),
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
    pack: packer(config.uconDb, now),
  }
}

/** The files of a stage, as an instance of several names them. */
const ofInstance = (config: Config, own: (path: string) => string): Config => ({
  ...config,
  app: {
    ...config.app,
    importStateFile: own(config.app.importStateFile),
    importFailureLog: own(config.app.importFailureLog),
    migrateStateFile: own(config.app.migrateStateFile),
    migrateFailureLog: own(config.app.migrateFailureLog),
  },
})

const memoryPaths = ({ app }: Config, stage: StageName) =>
  stage === 'import'
    ? { stateFile: app.importStateFile, failureLog: app.importFailureLog }
    : { stateFile: app.migrateStateFile, failureLog: app.migrateFailureLog }

const ignore = (): void => undefined

/** A look at a record is short. */
const NEVER = new AbortController().signal

const readOnly = (): never => {
  throw new Error('state may only be written by the holder of the lock')
}

const openArtdaq = async (
  config: Config,
  { env }: Context,
  more: { readonly expectExisting: boolean; readonly remember: Remember; readonly warn: Warn },
): Promise<DocumentStore> => {
  const { openDocumentStore } = await import('../stores/artdaqdb/open.ts')
  return openDocumentStore({ ...config.artdaqDb, env, now, ...more })
}

/** Where threads find a run's copies; undefined where they are behind artdaq's tools, or behind a network. */
const copyPlaces = (
  { artdaqDb, uconDb, sourceFiles }: Config,
  expected: CopyPlaces['expected'],
): CopyPlaces | undefined =>
  artdaqDb.useTools || !uconDb.serverUrl.startsWith('file:')
    ? undefined
    : {
        records: sourceFiles.runRecordsDir,
        databaseUris: artdaqDb.databaseUris,
        keepOriginals: artdaqDb.keepOriginals,
        archiveUrl: uconDb.serverUrl,
        folderName: uconDb.folderName,
        objectName: uconDb.objectName,
        blobContent: uconDb.blobContent,
        otherFiles: uconDb.otherFiles,
        expected,
      }

/**
 * Whether a stage may ever have stored anything: then a destination that is not there is an unmounted disk. A state that cannot be read does not say
 * that it never did; what is wrong with it is for the pass to report.
 */
const hasArchived = async (config: Config, stage: StageName): Promise<boolean> => {
  try {
    const { lastContiguousRun } = await new StateFile(memoryPaths(config, stage).stateFile).read()
    return lastContiguousRun > 0
  } catch {
    return true
  }
}
