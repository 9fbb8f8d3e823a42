import { audit as evaluate, sample } from '../runs/verify/audit.ts'
import { auditJson, auditLines, type StageAudit } from '../runs/verify/audit-text.ts'
import { sameRecord } from '../stores/ucondb/blob/blob.ts'
import { provenOf } from '../runs/scrub/scrub-share.ts'
import { differsFromManifest } from '../runs/verify/compare-copies.ts'
import { compareForeign } from '../runs/verify/compare-documents.ts'
import { damagedOlderBlobs, isAnother } from '../runs/verify/compare-run.ts'
import { completeCommands } from '../common/own-command.ts'
import { RunSet } from '../common/run-set.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import { now } from '../platform/host.ts'
import { FailureLog } from '../state/failure-log.ts'
import { type Context, startedAs, stopCode, untilStopped } from '../app/context.ts'
import { openArchiver } from '../app/open-archiver.ts'
import { withUnlisted } from '../runs/unlisted-blobs.ts'
import type { Archiver } from '../runs/archiver.ts'
import { sha256 } from '../runs/workers/convert-run.ts'

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
  const source = await archiver.records.list()
  const artdaq = await archiver.artdaq.list()
  const archive = await withUnlisted(archiver.archive, artdaq, await archiver.archive.list())
  refuseEmptySource(source.runs.union(source.ambiguous), artdaq.runs)
  const imported = await readBack(artdaq.runs, failed.import, options, context, (run) =>
    checkImported(archiver, run, context),
  )
  const migrated = await readBack(archive.runs, failed.migrate, options, context, (run) =>
    checkMigrated(archiver, run, archive.updates.get(run) ?? 0, context),
  )
  if (context.signal.aborted) return stopCode(context.signal)
  const proven = await provenOf(archiver).load()
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
      }),
    },
  ]
  const lines = (): string =>
    completeCommands(auditLines(audits).join('\n'), startedAs(context, options.config))
  context.out(options.json ? auditJson(audits) : `${lines()}\n`)
  return audits.every(({ violations }) => violations.length === 0) ? 0 : 1
})

const failures = async (path: string, context: Context): Promise<RunSet> => {
  const warn = (message: string): void => context.err(`${message}\n`)
  const { runs, junk, junkLines } = await new FailureLog(path, { now, warn }).read()
  if (junk > 0) warn(`${path}: ${junk} line(s) are no run numbers (line ${junkLines.join(', ')})`)
  return runs
}

/** An unmounted record directory would make every archived run look well, for want of anything to compare it with. */
const refuseEmptySource = (source: RunSet, stored: RunSet): void => {
  if (source.isEmpty && !stored.isEmpty)
    throw new ArchiverError('SOURCE_UNAVAILABLE', 'the run record directory is empty, and artdaqDB is not', {
      hint: 'Is the disk mounted?',
    })
}

/** What reading a run back shows: undefined: what is stored is what is at its source; `changed`: the source is to be stored again, beside it. */
type Finding = { readonly damage: string } | 'changed' | undefined

const damageOf = (damage: string | undefined): Finding => (damage === undefined ? undefined : { damage })

/** Those in the failure log always: what is stored may be what they failed for. */
const readBack = async (
  stored: RunSet,
  failed: RunSet,
  { deep }: Options,
  { signal }: Context,
  check: (run: number) => Promise<Finding>,
): Promise<{ count: number; good: number[]; changed: number[]; damaged: Map<number, string> }> => {
  const good: number[] = []
  const damaged = new Map<number, string>()
  const changed: number[] = []
  let count = 0
  for (const run of deep ? stored : sample(stored, SAMPLE).union(stored.intersect(failed))) {
    if (signal.aborted) break
    const finding = await ours(() => check(run))
    if (finding === 'changed') changed.push(run)
    else if (finding) damaged.set(run, finding.damage)
    else good.push(run)
    count++
  }
  return { count, good, changed, damaged }
}

/** The run as artdaqDB gives it back, against its own manifest, and against the record where that is still there. */
const checkImported = async (
  { artdaq, records, load }: Archiver,
  run: number,
  { signal }: Context,
): Promise<Finding> => {
  const stored = await artdaq.read(run, signal)
  const { manifest } = stored
  if (!manifest) return damageOf((await compareForeign({ load }, stored, signal))[0])
  try {
    const record = await records.read(run, signal)
    const [difference] = differsFromManifest(record, manifest, sha256)
    return difference !== undefined && isAnother(record, manifest) ? 'changed' : damageOf(difference)
  } catch (error) {
    // The record was removed after it was archived, or is being written to again: nothing to compare with.
    if (error instanceof ArchiverError && ['NOT_FOUND', 'RECORD_CHANGING'].includes(error.code))
      return undefined
    throw error
  }
}

/** The blob as the archive gives it back (its checksum is compared there), against what artdaqDB would make it of today. */
const checkMigrated = async (
  archiver: Archiver,
  run: number,
  update: number,
  { signal }: Context,
): Promise<Finding> => {
  const held = await archiver.archive.get(run, 'newest', signal)
  try {
    const stored = await archiver.artdaq.read(run, signal)
    if (stored.update > update) return 'changed'
    if (!sameRecord(archiver.pack(stored), held)) return damageOf('the blob is not what artdaqDB holds')
    return damageOf((await damagedOlderBlobs(archiver.archive, run, update, signal))[0])
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'NOT_FOUND') return undefined // cleaned up in between
    throw error
  }
}

/** What is wrong with one run is its reason; a store that is away is the audit's error. */
const ours = async (check: () => Promise<Finding>): Promise<Finding> => {
  try {
    return await check()
  } catch (error) {
    if (error instanceof ArchiverError && !error.code.endsWith('UNAVAILABLE'))
      return damageOf(messageOf(error))
    throw error
  }
}
