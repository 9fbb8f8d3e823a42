import { rebuild, type StageRuns } from '../state/rebuild-state.ts'
import { withUnlisted } from '../runs/unlisted-blobs.ts'
import { recoveryJson, recoveryLines } from '../runs/report/recovery-text.ts'
import { RunSet } from '../common/run-set.ts'
import { ArchiverError } from '../errors.ts'
import type { StageName } from '../common/stage-name.ts'
import type { StageMemory } from '../state/stage-state.ts'
import { type Command, type Context, untilStopped } from '../app/context.ts'
import { type MainOptions, waitOf } from './run-options.ts'
import { openArchiver } from '../app/open-archiver.ts'
import type { Archiver } from '../runs/archiver.ts'
import { withSession } from '../app/session.ts'

type Options = MainOptions & { readonly stage: StageName }

/** Prints lines while it works; with `--json` there is only the document at the end. */
type Print = (lines: readonly string[]) => void

/**
 * `--recover-import-state`, `--recover-migrate-state`: rebuilds a stage's state and failure log from the two stores. Safe at any
 * time and twice; cut short anywhere, it is done again. What it replaces is kept. Throws when a store cannot be read, and
 * SOURCE_UNAVAILABLE when the source is empty and the destination is not: then nothing is changed.
 */
export const recover: Command<Options> = async (options, context) => {
  const { stage } = options
  const wait = waitOf(options)
  const archiver = await openArchiver(options.config, context)
  if (options.dryRun)
    return untilStopped<Options>(() => recoverStage(archiver, undefined, options, context))(options, context)
  const session = {
    mode: `recover-${stage}-state`,
    waitSeconds: wait(archiver.config.app.waitSeconds),
    verbose: options.verbose ?? false,
    json: options.json ?? false,
  }
  return withSession(archiver, session, context, (conditions) =>
    recoverStage(archiver, archiver.memory(stage, conditions), options, context),
  )
}

/** Without a memory it only says what it would do. */
const recoverStage = async (
  archiver: Archiver,
  memory: StageMemory | undefined,
  { stage, json }: Options,
  context: Context,
): Promise<number> => {
  const print: Print = (lines) => {
    if (!json) context.out(`${lines.join('\n')}\n`)
  }
  const lines = recoveryLines(stage)
  print(lines.start)
  const documents = stage === 'migrate' ? await archiver.artdaq.list() : undefined
  const source = documents?.runs ?? (await recordRuns(archiver))
  print(lines.sourceFound(source.size))
  const { runs: stored } = documents
    ? await withUnlisted(archiver.archive, documents, await archiver.archive.list())
    : await archiver.artdaq.list()
  print(lines.destinationFound(stored.size))
  refuseEmptySource(stage, { source, stored })
  const missing = source.minus(stored).upTo(stored.last ?? 0)
  const stores = {
    source,
    stored,
    notReady: stage === 'import' ? await notReady(archiver, missing) : undefined,
  }
  const result = memory ? await memory.recover(stores) : { ...rebuild(stores), kept: [] }
  const { app } = archiver.config
  const recovery = {
    ...result,
    stage,
    sourceRuns: source.size,
    storedRuns: stored.size,
    stateFile: stage === 'import' ? app.importStateFile : app.migrateStateFile,
    failureLog: stage === 'import' ? app.importFailureLog : app.migrateFailureLog,
    dryRun: memory === undefined,
  }
  print(lines.done(recovery))
  if (json) context.out(recoveryJson(recovery))
  return 0
}

/** A record that is still being written was never tried: the next pass takes it once it is ready. */
const notReady = async ({ records }: Archiver, runs: RunSet): Promise<RunSet> => {
  const { ambiguous } = await records.list()
  const found: number[] = []
  for (const run of runs.minus(ambiguous)) if (!(await records.readiness(run)).ready) found.push(run)
  return RunSet.of(found)
}

/** Runs that two directories claim are on the source, too: they cannot be archived, so they are missing by name. */
const recordRuns = async ({ records }: Archiver): Promise<RunSet> => {
  const { runs, ambiguous } = await records.list()
  return runs.union(ambiguous)
}

/** An unmounted disk looks like an empty source; believing it would empty the failure log. */
const refuseEmptySource = (stage: StageName, { source, stored }: StageRuns): void => {
  if (!source.isEmpty || stored.isEmpty) return
  const [code, what, setting] =
    stage === 'import'
      ? ([
          'SOURCE_UNAVAILABLE',
          'the run record directory is empty, and artdaqDB is not',
          'source_files.run_records_dir',
        ] as const)
      : ([
          'STORE_UNAVAILABLE',
          'artdaqDB is empty, and the archive is not',
          'artdaq_db.database_uri',
        ] as const)
  throw new ArchiverError(code, what, { hint: `Is the disk of ${setting} mounted? Nothing was changed.` })
}
