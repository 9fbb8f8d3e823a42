import { counted } from '../common/counted.ts'
import { audit as evaluate, sample } from '../runs/verify/audit.ts'
import { auditJson, auditLines, type StageAudit } from '../runs/verify/audit-text.ts'
import { type Proven, provenOf } from '../runs/scrub/proven.ts'
import { compareOneByOne, compareRuns } from '../runs/verify/compare-runs.ts'
import { completeCommands } from '../common/own-command.ts'
import { RunSet } from '../common/run-set.ts'
import { ArchiverError } from '../errors.ts'
import { now } from '../platform/host.ts'
import { FailureLog } from '../state/failure-log.ts'
import { type Context, startedAs, stopCode, untilStopped } from '../app/context.ts'
import { openArchiver } from '../app/open-archiver.ts'
import { withUnlisted } from '../runs/unlisted-blobs.ts'
import type { Archiver } from '../runs/archiver.ts'
import type { SourceListing } from '../stores/store.ts'

interface Options {
  readonly config: string
  readonly json?: boolean
  readonly deep?: boolean
}

/** So many archived runs of each stage are read back without `--deep`. */
const SAMPLE = 20

/**
 * `run-archiver audit`: evaluates the first invariant of docs/INVARIANTS.md for both stages, from the stores and the failure logs alone; the state
 * files are not looked at. Reads back a sample of what is called archived, with `--deep` all of it. Exit 1 on any violation; throws when a
 * store cannot be read. Writes nothing and takes no lock: in the middle of a pass a run may move from one class to another meanwhile.
 */
export const audit = untilStopped<Options>(async (options, context) => {
  const archiver = await openArchiver(options.config, context)
  const { app } = archiver.config
  // Failure logs before the stores: a run that is archived meanwhile is then at worst reported as stale, never as lost.
  const failed = {
    import: await failures(app.importFailureLog, context),
    migrate: await failures(app.migrateFailureLog, context),
  }
  const proven = await provenOf(archiver).load()
  const source = await archiver.records.list()
  return await archiver.threads.during(context.signal, () =>
    auditStores(archiver, { failed, source, proven }, options, context),
  )
})

/** What was read before the stores. */
interface ReadBefore {
  readonly failed: Readonly<Record<'import' | 'migrate', RunSet>>
  readonly source: SourceListing
  readonly proven: Proven
}

const auditStores = async (
  archiver: Archiver,
  { failed, source, proven }: ReadBefore,
  options: Options,
  context: Context,
): Promise<number> => {
  const artdaq = await archiver.artdaq.list()
  if (options.deep) archiver.threads.expectComparisons(artdaq.runs.size)
  const archive = await withUnlisted(archiver.archive, artdaq, await archiver.archive.list())
  refuseEmptySource(source.runs.union(source.ambiguous), artdaq.runs)
  const chosen = (stored: RunSet, failedRuns: RunSet): RunSet =>
    options.deep ? stored : sample(stored, SAMPLE).union(stored.intersect(failedRuns))
  const { imported, migrated } = await readBack(
    archiver,
    { import: chosen(artdaq.runs, failed.import), migrate: chosen(archive.runs, failed.migrate) },
    archive.updates,
    options.deep ? compareRuns : compareOneByOne,
    context,
  )
  if (context.signal.aborted) return stopCode(context.signal)
  const audits: StageAudit[] = [
    {
      stage: 'import',
      readBack: imported.count,
      ...evaluate({
        source: source.runs.union(source.ambiguous),
        stored: artdaq.runs,
        incomplete: artdaq.incomplete,
        failed: failed.import,
        changed: RunSet.of(imported.changed),
        damaged: imported.damaged,
      }),
    },
    {
      stage: 'migrate',
      readBack: migrated.count,
      ...evaluate({
        source: artdaq.runs,
        stored: archive.runs,
        incomplete: archive.incomplete,
        // A run that failed to migrate and is only in part in artdaqDB by now is that stage's matter.
        failed: failed.migrate.minus(artdaq.incomplete),
        changed: RunSet.of(migrated.changed),
        damaged: migrated.damaged,
        compared: proven.runs.union(RunSet.of(migrated.good)),
        before: proven.runs,
      }),
    },
  ]
  const lines = (): string =>
    completeCommands(auditLines(audits).join('\n'), startedAs(context, options.config))
  context.out(options.json ? auditJson(audits) : `${lines()}\n`)
  return audits.every(({ violations }) => violations.length === 0) ? 0 : 1
}

const failures = async (path: string, context: Context): Promise<RunSet> => {
  const warn = (message: string): void => context.err(`${message}\n`)
  const { runs, junk, junkLines } = await new FailureLog(path, { now, warn }).read()
  if (junk > 0) warn(`${path}: ${counted(junk, 'line')} without a run number (line ${junkLines.join(', ')})`)
  return runs
}

/** An unmounted record directory would make every archived run look well, for want of anything to compare it with. */
const refuseEmptySource = (source: RunSet, stored: RunSet): void => {
  if (source.isEmpty && !stored.isEmpty)
    throw new ArchiverError('SOURCE_UNAVAILABLE', 'the run record directory is empty, and artdaqDB is not', {
      hint: 'Is the disk of source_files.run_records_dir mounted?',
    })
}

/** What reading runs back showed of one stage. */
interface ReadBack {
  count: number
  readonly good: number[]
  readonly changed: number[]
  readonly damaged: Map<number, string>
}

/**
 * Reads runs back, each once, and compares: the run as artdaqDB gives it against its own manifest, and against the record where that is still there;
 * the blob as the archive gives it against what artdaqDB would make it of today. A record that is another than the one that was archived, or an update that
 * is not migrated yet, is `changed`: it is to be stored again, beside what is there.
 */
const readBack = async (
  archiver: Archiver,
  runs: Readonly<Record<'import' | 'migrate', RunSet>>,
  updates: ReadonlyMap<number, number>,
  compare: typeof compareRuns,
  { signal }: Context,
): Promise<{ readonly imported: ReadBack; readonly migrated: ReadBack }> => {
  const imported: ReadBack = { count: 0, good: [], changed: [], damaged: new Map() }
  const migrated: ReadBack = { count: 0, good: [], changed: [], damaged: new Map() }
  for await (const compared of compare(archiver, runs.import.union(runs.migrate), signal)) {
    const { run, changed, update = 0, faults } = compared
    if (runs.import.has(run)) note(imported, run, changed, faults.import)
    if (runs.migrate.has(run)) note(migrated, run, update > (updates.get(run) ?? 0), faults.migrate)
  }
  return { imported, migrated }
}

const note = (stage: ReadBack, run: number, changed: boolean, fault: string | undefined): void => {
  stage.count++
  if (changed) stage.changed.push(run)
  else if (fault !== undefined) stage.damaged.set(run, fault)
  else stage.good.push(run)
}
