import type { Listing } from '../stores/store.ts'
import { provable } from '../runs/scrub/scrub.ts'
import { comparedOf } from '../runs/foreign-runs.ts'
import { type Proven, provenOf } from '../runs/scrub/proven.ts'
import { stat } from 'node:fs/promises'
import { hasQueue, openQueue } from '../app/open-queue.ts'
import { type QueueFacts, readQueue } from '../runs/report/compare-queue.ts'
import { compareStage } from '../runs/report/compare-state.ts'
import {
  type Known,
  makeReport,
  type MemoryFacts,
  type ProofFacts,
  type ReportFacts,
} from '../runs/report/report.ts'
import { redactUrl } from '../common/redact.ts'
import { reportJson } from '../runs/report/report-json.ts'
import { reportLines } from '../runs/report/report-text.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import { now } from '../platform/host.ts'
import type { StageName } from '../common/stage-name.ts'
import { lastSuccessAt } from '../tracking/last-success.ts'
import { type Context, startedAs, untilStopped } from '../app/context.ts'
import { lastCauses } from '../app/last-causes.ts'
import { RunSet } from '../common/run-set.ts'
import { checkDisk } from '../platform/host-checks.ts'
import type { MainOptions } from './run-options.ts'
import { openArchiver } from '../app/open-archiver.ts'
import { listedAnew, listedSince, observed, type Listings } from '../runs/listings.ts'
import { withUnlisted } from '../runs/unlisted-blobs.ts'
import { writtenFolders } from '../app/written-folders.ts'
import type { Archiver } from '../runs/archiver.ts'

/** So many pending runs are looked at for the reason why they are pending. */
const LOOKED_AT = 1000

/**
 * `--report-status`, `--compare-state`: what is where, what is missing, and what to do about it. A shared backlog is compared
 * with them. Reads only, takes no lock.
 * Exit 1 when a store or a state file could not be read (never taken for empty), or with `--check` when anything is amiss.
 */
export const status = untilStopped<MainOptions>(async (options, context) => {
  const archiver = await openArchiver(options.config, context)
  // First: what is done there is in the stores by then.
  const queue = await queueFacts(archiver)
  const report = makeReport({ ...(await gather(archiver, options.config, context)), queue })
  const amiss = report.unreadable.length > 0 || (options.check === true && report.discrepancies.length > 0)
  const exitCode = amiss ? 1 : 0
  if (options.json) context.out(reportJson(report, exitCode))
  else context.out(`${reportLines(report, { compareState: options.compareState ?? false }).join('\n')}\n`)
  return exitCode
})

/** What is in the three places and the two memories. A place that cannot be read is said to be unknown. */
export const gather = async (
  archiver: Archiver,
  config: string,
  context: Context,
  listings: Listings = listedAnew(archiver),
): Promise<ReportFacts> => {
  const { artdaqDb, uconDb, sourceFiles } = archiver.config
  let artdaqListing: Listing | undefined
  let archiveListing: Listing | undefined
  const [records, artdaq, listed, imports, migrates] = await Promise.all([
    known(async () => {
      const { runs, ambiguous, ignored } = await listings.records()
      const claims = ambiguous.first === undefined ? [] : await archiver.records.foldersOf(ambiguous.first)
      return { runs, ambiguous, claims, ignored: ignored.map(({ name, reason }) => `${name} (${reason})`) }
    }),
    known(async () => (artdaqListing = await listings.artdaq())),
    known(async () => (archiveListing = await listings.archive())),
    known(() => memoryFacts(archiver, 'import')),
    known(() => memoryFacts(archiver, 'migrate')),
  ])
  const [documents, blobs] = [artdaqListing, archiveListing]
  const archive =
    documents && blobs ? await known(() => withUnlisted(archiver.archive, documents, blobs)) : listed
  if (archive.known && archiveListing) archiveListing = archive.value
  const proven = await known(() => provenOf(archiver).load())
  const facts = {
    now: now(),
    ...startedAs(context, config),
    recordsDirectory: sourceFiles.runRecordsDir,
    databaseUri: artdaqDb.databaseUris.map(redactUrl).join(', '),
    serverUrl: redactUrl(uconDb.serverUrl),
    folderAndObject: `${uconDb.folderName}/${uconDb.objectName}`,
    records,
    artdaq,
    archive,
    import: imports,
    migrate: migrates,
    lastSuccess: await lastSuccessAt(archiver.config.app.workDir),
    proof: proven.known
      ? proofFacts(proven.value, artdaqListing, archiveListing, failedOf(migrates))
      : undefined,
    damagedRecords: proven.known ? damagedRecords(proven.value, artdaqListing) : new Map<number, string>(),
    notes: [proven, await known(() => archiver.watch.read()), await known(() => comparedOf(archiver).load())],
    fullDisks: await fullDisks(archiver),
    ...(await lastCauses(archiver, { import: failedOf(imports), migrate: failedOf(migrates) }, context)),
  }
  return { ...facts, waiting: await whyPending(archiver, facts) }
}

/** The same for a page that is looked at again and again: the places are listed as passes list them. `unanswered` names those that are still asked. */
export const gatherAgain = async (
  archiver: Archiver | undefined,
  config: string,
  context: Context,
  unanswered = new Set<string>(),
): Promise<ReportFacts> => {
  if (!archiver) throw new Error('a page of a ledger alone has no places')
  await archiver.cache.refresh()
  return gather(archiver, config, context, observed(listedSince(archiver), unanswered))
}

const failedOf = (memory: Known<MemoryFacts>): RunSet => (memory.known ? memory.value.failed : RunSet.EMPTY)

/** Disks on which nothing more can be written, of the folders that a pass writes to. */
const fullDisks = async ({ config }: Archiver): Promise<readonly string[]> => {
  const checks = await Promise.all(
    writtenFolders(config).map(([name, path]) => checkDisk(name, path).catch(() => [])),
  )
  const full = checks.flat().filter(({ level }) => level === 'problem')
  return [...new Set(full.map(({ message }) => `The disk is full: ${message}`))]
}

/** What the scrub knows; undefined where a store does not answer. */
const proofFacts = (
  proven: Proven,
  artdaq: Listing | undefined,
  archive: Listing | undefined,
  failed: RunSet,
): ProofFacts | undefined => (artdaq && archive ? proven.about(provable(artdaq, archive, failed)) : undefined)

/** Records that were archived as they were, and looked damaged. */
const damagedRecords = (proven: Proven, artdaq: Listing | undefined): ReadonlyMap<number, string> =>
  new Map([...proven.damagedRecords].filter(([run]) => artdaq?.runs.has(run) ?? true))

/** The shared backlog; undefined where none is configured. */
const queueFacts = async ({ config }: Archiver): Promise<Known<QueueFacts> | undefined> => {
  const { queue, app } = config
  if (!hasQueue(queue)) return undefined
  return known(async () => {
    const store = await openQueue(queue, app.workDir, 'reads')
    try {
      return await readQueue(store, redactUrl(queue.url.reveal()))
    } finally {
      await store.close()
    }
  })
}

/** Our own errors are the report's matter; a bug is not. */
const known = async <T>(read: () => Promise<T>): Promise<Known<T>> => {
  try {
    return { known: true, value: await read() }
  } catch (error) {
    if (error instanceof ArchiverError) {
      const hint = error.hint === undefined ? '' : `. ${error.hint}`
      return { known: false, reason: `${messageOf(error)}${hint}` }
    }
    throw error
  }
}

const memoryFacts = async (archiver: Archiver, stage: StageName): Promise<MemoryFacts> => {
  const { state, failed, isFirst } = await archiver.peek(stage)
  const { app } = archiver.config
  const path = stage === 'import' ? app.importStateFile : app.migrateStateFile
  const stats = await stat(path).catch(() => undefined)
  return { state, failed, isFirst, savedAt: stats?.mtimeMs }
}

/** Why runs that no pass has archived yet are not taken by the next one either. */
const whyPending = async (
  { records }: Archiver,
  facts: Pick<ReportFacts, 'records' | 'artdaq' | 'import'>,
): Promise<ReadonlyMap<number, string>> => {
  const waiting = new Map<number, string>()
  if (!facts.records.known || !facts.artdaq.known || !facts.import.known) return waiting
  const { state, failed } = facts.import.value
  const source = facts.records.value.runs
  const { fresh, late } = compareStage({ source, stored: facts.artdaq.value.runs, state, failed })
  for (const run of late.union(fresh).take(LOOKED_AT)) {
    const readiness = await records.readiness(run)
    if (!readiness.ready) waiting.set(run, `${readiness.reason}: ${readiness.detail}`)
  }
  return waiting
}
