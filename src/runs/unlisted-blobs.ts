import { RunSet } from '../common/run-set.ts'
import type { Archive, Listing } from '../stores/store.ts'

/** Runs that are asked for in one call. */
const AT_ONCE = 1000

/** So many missing runs are asked for by who only reads: more are a backlog, and nobody marks a backlog as deleted. */
const MOST = 20_000

/** Of these runs, those whose newest blob the archive holds and does not list. */
export const unlistedOf = async (
  archive: Pick<Archive, 'unlisted'>,
  runs: RunSet,
  { updates }: Pick<Listing, 'updates'>,
): Promise<RunSet> => {
  let found = RunSet.EMPTY
  for (let left = runs; archive.unlisted && !left.isEmpty;) {
    const group = left.take(AT_ONCE)
    left = left.minus(group)
    found = found.union(
      await archive.unlisted(new Map([...group].map((run) => [run, updates.get(run) ?? 0]))),
    )
  }
  return found
}

/** Runs that were stored again in artdaqDB, and whose newest update is not in a listing of the archive. */
export const behind = (documents: Listing, blobs: Listing): RunSet =>
  RunSet.of(
    [...documents.updates]
      .filter(([run, updates]) => updates > (blobs.updates.get(run) ?? 0))
      .map(([run]) => run),
  )

/** The archive's listing, with the runs of artdaqDB that it holds and does not list; a note names them. */
export const withUnlisted = async (
  archive: Pick<Archive, 'unlisted'>,
  documents: Listing,
  blobs: Listing,
): Promise<Listing> => {
  const missing = documents.runs.minus(blobs.runs).union(behind(documents, blobs)).take(MOST)
  return including(await unlistedOf(archive, missing, documents), documents, blobs)
}

/** A listing and some runs, each with its newest update. */
export const including = (unlisted: RunSet, documents: Listing, blobs: Listing): Listing => {
  if (unlisted.isEmpty) return blobs
  const updates = new Map(blobs.updates)
  for (const run of unlisted) {
    const update = documents.updates.get(run) ?? 0
    if (update > 0) updates.set(run, update)
  }
  const note = `Runs whose version is marked as deleted, and is still given (ask the administrator of UconDB why): ${unlisted.toString()}`
  return { ...blobs, runs: blobs.runs.union(unlisted), updates, notes: [...blobs.notes, note] }
}
