import type { Archive, Listing, RecordSource, SourceListing } from '../stores/store.ts'
import { candidates, type PassMode } from './candidates.ts'
import type { ForeignLook } from './foreign-runs.ts'
import { RunSet } from '../common/run-set.ts'
import type { Share } from '../common/share.ts'
import type { StageState } from '../state/state-format.ts'
import { ArchiverError } from '../errors.ts'
import type { StageName } from '../common/stage-name.ts'
import type { Watched } from '../state/recheck-list.ts'
import { behind, including, unlistedOf } from './unlisted-blobs.ts'

/** What a pass of one stage would do. */
export interface Plan {
  readonly stage: StageName
  /** To process now, at most as many as the limit allows. */
  readonly runs: RunSet
  /** Candidates that are not ready, with the reason. Only those met before the limit was reached. */
  readonly waiting: ReadonlyMap<number, string>
  /** Candidates beyond the limit. */
  readonly beyond: number
  readonly stored: RunSet
  readonly sourceHighest: number | undefined
  /** Stored runs that were perhaps never compared: a pass was cut short between the put and its proof. */
  readonly unproven: RunSet
  /** Runs that the archive holds and perhaps nobody compared, and that cannot be now: artdaqDB does not hold them. They stay in doubt. */
  readonly uncomparable: RunSet
  /** What a look at runs of other programs showed; of an import alone. */
  readonly foreign: ForeignLook | undefined
  /** Runs of which artdaqDB holds an older content than the archive (`restoredRuns`). */
  readonly restored?: RunSet
}

export interface PlanRequest {
  readonly mode: PassMode
  readonly limit: number
  readonly only: RunSet | undefined
  readonly state: StageState
  readonly failed: RunSet
  /** There was no state: what the destination lists is taken as it is. */
  readonly isFirst: boolean
  /** What nobody may have compared at the archive (`InHand`). */
  readonly inHand: RunSet
  /** Only the runs of this share. */
  readonly share?: Share | undefined
  /** A run that is put although the archive has its key: `--override-conflict`. */
  readonly override?: number | undefined
}

/**
 * What the import stage has to do. Throws SOURCE_UNAVAILABLE where the record directory is empty and was not before: an unmounted
 * disk looks like that, and is never "nothing to do".
 */
export const planImport = async (
  records: RecordSource,
  source: SourceListing,
  artdaq: Listing,
  watched: ReadonlyMap<number, Watched>,
  foreign: ForeignLook,
  request: PlanRequest,
): Promise<Plan> => {
  const all = source.runs.union(source.ambiguous)
  if (all.isEmpty && (request.state.lastAttemptedRun > 0 || !artdaq.runs.isEmpty))
    throw new ArchiverError(
      'SOURCE_UNAVAILABLE',
      'the run record directory is empty, and it was not before',
      {
        hint: 'Is the disk of source_files.run_records_dir mounted? Runs that are archived are safe; nothing was changed.',
      },
    )
  const changed = await changedRecords(records, watched, source.runs.intersect(artdaq.runs))
  const wanted = candidates({
    ...request,
    source: all,
    destination: artdaq,
    changed: changed.union(foreign.toPut),
    unproven: RunSet.EMPTY,
  })
  const ready: number[] = []
  const waiting = new Map<number, string>()
  // A run that two directories claim is taken on, so that it fails by name.
  const look = async (run: number) =>
    source.ambiguous.has(run) ? { ready: true as const } : records.readiness(run)
  const queue = wanted[Symbol.iterator]()
  let looked = 0
  while (ready.length < request.limit) {
    const group = take(queue, Math.min(AT_ONCE, request.limit - ready.length))
    if (group.length === 0) break
    const looks = await Promise.all(group.map(look))
    for (const [position, run] of group.entries()) {
      const readiness = looks[position]
      if (readiness?.ready) ready.push(run)
      else if (readiness) waiting.set(run, `${readiness.reason}: ${readiness.detail}`)
    }
    looked += group.length
  }
  return {
    stage: 'import',
    runs: RunSet.of(ready),
    waiting,
    beyond: wanted.size - looked,
    stored: artdaq.runs,
    sourceHighest: all.last,
    foreign,
    unproven: RunSet.EMPTY, // artdaqDB's index names a run when all of it was compared
    uncomparable: RunSet.EMPTY,
  }
}

/**
 * What the migrate stage has to do. A run that was attempted, did not fail, and whose blob is held though it is not listed, was compared then: it is
 * archived. Throws STORE_UNAVAILABLE where artdaqDB is empty and was not before.
 */
export const planMigrate = async (
  artdaq: Listing,
  listed: Listing,
  request: PlanRequest,
  store: Pick<Archive, 'unlisted'>,
): Promise<Plan> => {
  const { state, failed, isFirst, inHand, override } = request
  const hadRuns = !listed.runs.isEmpty || !failed.isEmpty || state.lastAttemptedRun > 0
  if (artdaq.runs.isEmpty && artdaq.incomplete.isEmpty && hadRuns)
    throw new ArchiverError('STORE_UNAVAILABLE', 'artdaqDB is empty, and it was not before', {
      hint: 'Is artdaq_db.database_uri right, and its disk mounted? Nothing was changed.',
    })
  const overridden = override === undefined ? RunSet.EMPTY : RunSet.of([override])
  const missing = artdaq.runs.minus(listed.runs).union(behind(artdaq, listed)).minus(overridden)
  const compared = missing.upTo(state.lastAttemptedRun).minus(failed).minus(inHand)
  const archive = including(await unlistedOf(store, compared, artdaq), artdaq, listed)
  // The number stays below each run in hand: what is listed above it may be a put that nobody has compared.
  const known = archive.runs.minus(failed)
  const doubtful = known.above(isFirst ? Infinity : state.lastAttemptedRun).union(known.intersect(inHand))
  const unproven = doubtful.intersect(artdaq.runs)
  const changed = behind(artdaq, archive).union(overridden)
  const wanted = candidates({ ...request, source: artdaq.runs, destination: archive, unproven, changed })
  const runs = wanted.take(request.limit)
  return {
    stage: 'migrate',
    runs,
    waiting: new Map(),
    beyond: wanted.size - runs.size,
    stored: archive.runs,
    sourceHighest: artdaq.runs.last,
    unproven,
    uncomparable: doubtful.minus(artdaq.runs),
    foreign: undefined,
  }
}

/** Records that are looked at side by side: each look is many waits for the disk. */
const AT_ONCE = 8

/** The next items, `most` of them at the most. */
const take = (queue: Iterator<number>, most: number): number[] => {
  const taken: number[] = []
  while (taken.length < most) {
    const next = queue.next()
    if (next.done) break
    taken.push(next.value)
  }
  return taken
}

/** Watched records whose signature is no longer the one that was archived, and that are quiet again. */
const changedRecords = async (
  records: RecordSource,
  watched: ReadonlyMap<number, Watched>,
  archived: RunSet,
): Promise<RunSet> => {
  const changed: number[] = []
  const queue = [...watched.keys()].filter((run) => archived.has(run)).values()
  for (let group = take(queue, AT_ONCE); group.length > 0; group = take(queue, AT_ONCE)) {
    const looks = await Promise.all(group.map((run) => records.readiness(run)))
    for (const [position, run] of group.entries()) {
      const readiness = looks[position]
      if (readiness?.ready && readiness.signature !== watched.get(run)?.signature) changed.push(run)
    }
  }
  return RunSet.of(changed)
}
