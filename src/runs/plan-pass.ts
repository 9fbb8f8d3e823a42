import type { StageName } from '../common/stage-name.ts'
import { ArchiverError } from '../errors.ts'
import { RunSet } from '../common/run-set.ts'
import type { Share } from '../common/share.ts'
import type { StageRuns } from '../state/rebuild-state.ts'
import type { Watched } from '../state/recheck-list.ts'
import type { Remembered } from '../state/stage-state.ts'
import type { Listing, SourceListing } from '../stores/store.ts'
import type { Archiver } from './archiver.ts'
import { passLimit, type PassMode } from './candidates.ts'
import { lookAtForeign, NOT_LOOKED } from './foreign-runs.ts'
import { passListing } from './listing-cache.ts'
import type { BlobCheck } from './migrate-stage.ts'
import { type Plan, planImport, planMigrate } from './plan.ts'
import { restoredRuns } from './restored-database.ts'
import { withUnlisted } from './unlisted-blobs.ts'

/** What is asked of a pass. */
export interface PassRequest {
  readonly mode: PassMode
  readonly stages: readonly StageName[]
  readonly only?: RunSet | undefined
  /** `--limit`; without it `app.batch_size` decides. */
  readonly limit?: number | undefined
  /** `--instance-id` and `--instance-count`. */
  readonly share?: Share | undefined
  /** `--override-conflict`. */
  readonly override?: number | undefined
  /** Whether records that are archived are looked at again, as they are unless this is false. */
  readonly recheck?: boolean
  /** `--validate`. */
  readonly check?: BlobCheck | undefined
  /** Milliseconds between two records of progress, at least; 250 unless set. */
  readonly checkpointEvery?: number
}

/** What one stage of a pass would do, from the stores and from what is remembered. Reads only. */
export const planPass = async (
  archiver: Archiver,
  stage: StageName,
  request: PassRequest,
  { state, failed, isFirst }: Remembered,
  imported?: Imported,
): Promise<Plan> => {
  const { cache, records, artdaq, archive, config } = archiver
  const limit = passLimit(request.mode, config.app.batchSize, request.limit)
  const { mode, only, override, share } = request
  const inHand = await archiver.inHand.read()
  const wanted = { mode, limit, only, state, failed, isFirst, inHand, override, share }
  const held = withImported(await cache.list<Listing>('artdaq', passListing(artdaq)), imported)
  if (stage === 'migrate') {
    const blobs = await cache.list<Listing>('archive', archive)
    const plan = await planMigrate(held, blobs, wanted, archive)
    return { ...plan, restored: await unlessUnreadable(restoredRuns(archiver, held, blobs), RunSet.EMPTY) }
  }
  const source = await cache.list<SourceListing>('run-records', records)
  if (request.recheck === false) return planImport(records, source, held, NONE, NOT_LOOKED, wanted)
  const watched = (await unlessUnreadable(archiver.watch.read(), undefined)) ?? NONE
  const foreign = await lookAtForeign(archiver, source, held, wanted)
  return planImport(records, source, held, watched, foreign, wanted)
}

/** Archiving goes on without the list of watched records; that it cannot be read, `refreshWatchList` and the report say. */
const unlessUnreadable = async <T>(reading: Promise<T>, instead: T): Promise<T> => {
  try {
    return await reading
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'STATE_UNREADABLE') return instead
    throw error
  }
}

const NONE: ReadonlyMap<number, Watched> = new Map()

/** What the import of this very pass has added to artdaqDB: so that migration need not list it again. */
export interface Imported {
  readonly runs: RunSet
  readonly updated: readonly number[]
}

const withImported = (listing: Listing, imported: Imported | undefined): Listing => {
  if (!imported) return listing
  const updates = new Map(listing.updates)
  for (const run of imported.updated) updates.set(run, (updates.get(run) ?? 0) + 1)
  return { ...listing, runs: listing.runs.union(imported.runs), updates }
}

/** Source and destination of a stage, as far as a damaged state is rebuilt from them. */
export const stageRuns = async (
  { cache, records, artdaq, archive }: Archiver,
  stage: StageName,
): Promise<StageRuns> => {
  const held = await cache.list<Listing>('artdaq', passListing(artdaq))
  if (stage === 'migrate') {
    const listed = await cache.list<Listing>('archive', archive)
    return { source: held.runs, stored: (await withUnlisted(archive, held, listed)).runs }
  }
  return { source: (await cache.list<SourceListing>('run-records', records)).runs, stored: held.runs }
}
