import { passListing } from './listing-cache.ts'
import type { RecordManifest } from '../stores/run-record.ts'
import type { RunSet } from '../common/run-set.ts'
import { ArchiverError } from '../errors.ts'
import type { Watched } from '../state/recheck-list.ts'
import type { Archiver } from './archiver.ts'
import { provenOf } from './scrub/proven.ts'

const HOUR = 3_600_000

/** Ended records that are looked at again: the last to be archived. After a backlog, looking at all of them would cost more than the pass. */
const ENDED = 100

/** Where the list was lost, the manifests of so many runs are asked: the highest, which are the last to have been going on. */
const ASKED = 1000

/** What is remembered of a record that a pass has archived. */
export interface Archived extends Pick<RecordManifest, 'signature' | 'ended'> {
  /** What is wrong with its text files, in words. */
  readonly damage: string | undefined
}

/**
 * Brings the list of watched records up to date after an import: what was just archived comes in; what had a stop line and was archived longer
 * ago than `source_files.recheck_hours`, or is not among the last hundred, goes out. A record without a stop line stays: its stop may come.
 * Where the list was lost, it is made anew from the manifests in artdaqDB.
 */
export const refreshWatchList = async (
  archiver: Archiver,
  imported: ReadonlyMap<number, Pick<Archived, 'signature' | 'ended'>>,
  succeeded: RunSet,
  now: number,
): Promise<void> => {
  const { watch, config } = archiver
  const known = await watch.read()
  const isKnown = (run: number): boolean => imported.has(run) && succeeded.has(run)
  const before = known ?? (await rebuild(archiver, isKnown, now))
  const watched = new Map(before)
  for (const [run, { signature, ended }] of imported)
    if (succeeded.has(run)) watched.set(run, { signature, ended, archivedAt: now })
  const ended = [...watched].filter(([, one]) => one.ended)
  for (const [run] of ended.slice(0, -ENDED)) watched.delete(run)
  const horizon = now - config.sourceFiles.recheckHours * HOUR
  for (const [run, { archivedAt }] of ended) if (archivedAt < horizon) watched.delete(run)
  if (known && imported.size === 0 && watched.size === known.size) return
  await watch.write(watched)
}

/** A run whose document is damaged is `check`'s and `audit`'s matter; the others are looked at all the same. */
export const manifestOf = async (
  artdaq: Archiver['artdaq'],
  run: number,
): Promise<RecordManifest | undefined> => {
  try {
    return await artdaq.manifest(run)
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'STORE_CORRUPT') return undefined
    throw error
  }
}

/** Runs whose manifest says that they had no stop line, but for those that were just archived. */
const rebuild = async (
  { artdaq, cache }: Archiver,
  isKnown: (run: number) => boolean,
  now: number,
): Promise<Map<number, Watched>> => {
  const watched = new Map<number, Watched>()
  const { runs } = await cache.list('artdaq', passListing(artdaq))
  for (const run of [...runs].slice(-ASKED)) {
    if (isKnown(run)) continue
    const manifest = await manifestOf(artdaq, run)
    if (manifest && !manifest.ended)
      watched.set(run, { signature: manifest.signature, ended: false, archivedAt: now })
  }
  return watched
}

/** Keeps how the records looked that were just archived, for the report. Where all look well, and none did not before, nothing is written. */
const rememberDamagedRecords = async (
  archiver: Archiver,
  imported: ReadonlyMap<number, Archived>,
  succeeded: RunSet,
): Promise<void> => {
  const proven = await provenOf(archiver).load()
  const changes = [...imported].filter(
    ([run, { damage }]) => succeeded.has(run) && proven.noteRecord(run, damage),
  )
  if (changes.length > 0) await proven.save()
}

/** Keeps, after an import, what later passes and the report want to know of the records that were archived. Two caches. */
export const rememberImported = async (
  archiver: Archiver,
  imported: ReadonlyMap<number, Archived>,
  succeeded: RunSet,
  now: number,
): Promise<void> => {
  try {
    await refreshWatchList(archiver, imported, succeeded, now)
  } finally {
    await rememberDamagedRecords(archiver, imported, succeeded)
  }
}
