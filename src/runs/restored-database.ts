import { RunSet } from '../common/run-set.ts'
import type { Listing } from '../stores/store.ts'
import type { Archiver } from './archiver.ts'
import { manifestOf } from './recheck.ts'
import { behind } from './unlisted-blobs.ts'

/**
 * Runs that artdaqDB holds as they were before an update that the archive has: it was restored from an older copy. Of the runs that are watched, which are the
 * last to have been archived; of others a scrub finds it. Reads only.
 */
export const restoredRuns = async (
  { artdaq, watch }: Archiver,
  documents: Listing,
  blobs: Listing,
): Promise<RunSet> => {
  const ahead = behind(blobs, documents).intersect(documents.runs)
  if (ahead.isEmpty) return RunSet.EMPTY
  const found: number[] = []
  for (const [run, { signature }] of (await watch.read()) ?? []) {
    const manifest = ahead.has(run) ? await manifestOf(artdaq, run) : undefined
    if (manifest && manifest.signature !== signature) found.push(run)
  }
  return RunSet.of(found)
}

/** Warns of such runs, and has the next import put them again from their records: with the signature of no record, they are watched as changed. */
export const importAgain = async (
  { watch }: Archiver,
  runs: RunSet | undefined,
  conditions: { warn(message: string): void },
): Promise<void> => {
  if (runs === undefined || runs.isEmpty) return
  conditions.warn(
    `[Migrate] artdaqDB holds an older content of runs ${runs.toString()} than the archive: was it restored from an older copy? ` +
      'The next pass imports them again from their records, where these are there; without them, extract --from archive gives the newer content.',
  )
  const watched = new Map(await watch.read())
  for (const [run, one] of watched) if (runs.has(run)) watched.set(run, { ...one, signature: '' })
  await watch.write(watched)
}
