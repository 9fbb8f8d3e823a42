import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { FAILED_PASSES } from '../../common/failed-passes.ts'
import { ArchiverError } from '../../errors.ts'
import { now } from '../../platform/host.ts'
import { configurationKey, type Invocation, signatureOf, stampFile, writeStamp } from './idle-stamp.ts'
import type { Archiver } from '../archiver.ts'
import { FOREIGN_FILE } from '../foreign-runs.ts'
import { type PassRequest, planPass } from '../plan-pass.ts'
import { provenOf } from '../scrub/proven.ts'
import type { Plan } from '../plan.ts'

/** How long an idle pass is believed, in milliseconds: then each store is asked for its fingerprint again. */
const BELIEVED = 3_600_000

/** A stamp with more paths than this would save nothing. */
const FEW = 5000

/**
 * The plans of an incremental pass that would find nothing at all to do or to put right: then it need not take the lock, and writes nothing.
 * Undefined where there is something. Looks at what it can without changing anything; whatever is doubtful (a damaged state, a store that does
 * not answer, an owner that was killed) is for the pass itself.
 */
export const idlePlans = async (
  archiver: Archiver,
  request: PassRequest,
): Promise<readonly Plan[] | undefined> => {
  const { app, metrics, carbon, reporting } = archiver.config
  // Where a success is reported, each pass reports it: a quiet night is not a stale archive.
  if (metrics.textfile !== undefined || carbon.enabled || reporting.staleAfterHours > 0) return undefined
  if (await exists(join(app.workDir, '.archiver.owner.json'))) return undefined
  const plans: Plan[] = []
  try {
    // A pass says that they cannot be read.
    await archiver.watch.read()
    await provenOf(archiver).load()
    for (const stage of request.stages) {
      const remembered = await archiver.peek(stage)
      if (remembered.isFirst) return undefined
      // One new record that is ready is enough; only without one is it worth a look at those that are archived.
      const first = await planPass(archiver, stage, { ...request, limit: 1, recheck: false }, remembered)
      if (!first.runs.isEmpty) return undefined
      const plan = await planPass(archiver, stage, request, remembered)
      if (!plan.runs.isEmpty || plan.foreign?.compared.isEmpty === false) return undefined
      if (plan.foreign?.unreadable) return undefined
      if (plan.restored?.isEmpty === false) return undefined
      if (plan.stored.lastContiguous !== remembered.state.lastContiguousRun) return undefined
      // A crash kept the last run from being recorded: a pass reads the number off the destination.
      if ((plan.stored.last ?? 0) > remembered.state.lastAttemptedRun) return undefined
      plans.push(plan)
    }
    return plans
  } catch (error) {
    if (error instanceof ArchiverError) return undefined
    throw error
  }
}

/** The runs that are not ready in an idle pass whose listings need not be saved either; undefined where there is something to do. */
export const idleWaiting = async (
  archiver: Archiver,
  request: PassRequest,
): Promise<ReadonlyMap<number, string> | undefined> => {
  const plans = await idlePlans(archiver, request)
  if (!plans || archiver.cache.isChanged) return undefined
  return new Map(plans.flatMap(({ waiting }) => [...waiting]))
}

/** What an idle pass rests on: paths, and their signatures as they were before it looked. */
export type Ground = ReadonlyMap<string, string>

/** Files in work_dir that a pass reads. */
const NOTES = [
  '.archiver.owner.json',
  '.migrator_in_hand',
  '.proven.json',
  '.watched-records.json',
  FAILED_PASSES,
  FOREIGN_FILE,
]

/** Everything whose change could give an incremental pass something to do. */
export const groundOf = async (archiver: Archiver): Promise<Ground> => {
  const { app, sourceFiles } = archiver.config
  const paths = [
    sourceFiles.runRecordsDir,
    ...[app.importStateFile, app.importFailureLog, app.migrateStateFile, app.migrateFailureLog],
    ...NOTES.map((name) => join(app.workDir, name)),
    ...((await archiver.artdaq.trail?.()) ?? []),
    ...((await archiver.archive.trail?.()) ?? []),
  ]
  return new Map(paths.map((path) => [path, signatureOf(path)]))
}

/**
 * Leaves a stamp of an idle pass, so that the next one can end after a few stats. Not where a record only has to be quiet for a while longer: time
 * alone will make it ready.
 */
export const leaveStamp = async (
  archiver: Archiver,
  ground: Ground,
  waiting: ReadonlyMap<number, string>,
  { config, flags }: { readonly config: string; readonly flags: readonly string[] },
  context: Pick<Invocation, 'env' | 'version'>,
): Promise<void> => {
  const file = stampFile(config, flags, context.env)
  if (file === undefined || [...waiting.values()].some((reason) => reason.startsWith('settling'))) return
  const known = await archiver.watch.read().catch(() => 'unreadable' as const)
  if (known === 'unreadable') return
  const watched = [...(known ?? new Map<number, unknown>()).keys(), ...waiting.keys()]
  if (ground.size + 2 * watched.length > FEW) return
  const paths: Record<string, string> = Object.fromEntries(ground)
  for (const run of watched) {
    const record = await archiver.records.pathOf(run).catch(() => undefined)
    if (record !== undefined)
      for (const path of [record, join(record, 'metadata.txt')]) paths[path] = signatureOf(path)
  }
  const configuration = configurationKey(config, context.env)
  writeStamp(file, { version: 1, program: context.version, configuration, until: now() + BELIEVED, paths })
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
