import type { RecordManifest } from '../core/run-record.ts'
import type { RunSet } from '../core/run-set.ts'
import type { Watched } from '../state/watch-list.ts'
import type { Archiver } from './open.ts'

const HOUR = 3_600_000

/**
 * Brings the list of watched records up to date after an import: what was just archived comes in; what had a stop line and was archived longer
 * ago than `source_files.recheck_hours` goes out. A record without a stop line stays, however old: its stop may come.
 * Where the list was lost, it is made anew from the manifests in artdaqDB.
 */
export const refreshWatchList = async (
  archiver: Archiver,
  imported: ReadonlyMap<number, RecordManifest>,
  succeeded: RunSet,
  now: number,
): Promise<void> => {
  const { watch, config } = archiver
  const known = await watch.read()
  const before = known ?? (await rebuild(archiver, now))
  const watched = new Map(before)
  for (const [run, { signature, ended }] of imported)
    if (succeeded.has(run)) watched.set(run, { signature, ended, archivedAt: now })
  const horizon = now - config.sourceFiles.recheckHours * HOUR
  for (const [run, { ended, archivedAt }] of watched) if (ended && archivedAt < horizon) watched.delete(run)
  if (known && imported.size === 0 && watched.size === known.size) return
  await watch.write(watched)
}

/** Every run whose manifest says that it had no stop line. */
const rebuild = async ({ artdaq, cache }: Archiver, now: number): Promise<Map<number, Watched>> => {
  const watched = new Map<number, Watched>()
  const { runs } = await cache.list('artdaq', artdaq)
  for (const run of runs) {
    const manifest = await artdaq.manifest(run)
    if (manifest && !manifest.ended)
      watched.set(run, { signature: manifest.signature, ended: false, archivedAt: now })
  }
  return watched
}
