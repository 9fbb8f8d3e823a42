import { join } from 'node:path'
import { RunSet } from '../common/run-set.ts'
import { runsOfShare, type Share } from '../common/share.ts'
import type { Listing, SourceListing } from '../stores/store.ts'
import type { PassMode } from './candidates.ts'
import { ArchiverError } from '../errors.ts'
import { step } from '../platform/atomic-file.ts'
import { now } from '../platform/host.ts'
import type { Archiver } from './archiver.ts'
import { Proven, provenOf } from './scrub/proven.ts'
import { refreshWatchList } from './recheck.ts'
import { foreignDifferences } from './verify/compare-documents.ts'

/** Runs of other programs that one pass compares with their records, at most: some seconds, so that new runs do not wait for a large database. */
const MOST = 100

/** The file in work_dir of the runs that were compared. A cache: losing or damaging it costs the time of comparing again. */
export const FOREIGN_FILE = '.compared-foreign.json'

/** What was compared of runs of other programs. */
export const comparedOf = ({ config }: Pick<Archiver, 'config'>): Proven =>
  new Proven(join(config.app.workDir, FOREIGN_FILE))

/** What a look at runs of other programs showed. */
export interface ForeignLook {
  /** To be put: the put completes what lacks documents, and fails by name where documents differ. */
  readonly toPut: RunSet
  /** The same as their records, or ours after all: not to be looked at again. */
  readonly compared: RunSet
  /** Those of them whose records have no stop time: they are watched, for it may come. */
  readonly goingOn: ReadonlyMap<number, string>
  /** There was no earlier look, or the list of watched records is lost. */
  readonly isFirst: boolean
  /** Why nothing was looked at: what was compared before could not be read. */
  readonly unreadable?: ArchiverError
}

export const NOT_LOOKED: ForeignLook = {
  toPut: RunSet.EMPTY,
  compared: RunSet.EMPTY,
  goingOn: new Map(),
  isFirst: false,
}

/**
 * Compares runs that other programs stored with their records: those that were never compared, those that the scrub found damaged, and those that are asked
 * for by their numbers; lowest first. A record that is gone, moving or not to be
 * read says nothing of its run. The scrub compares them again, years later too. Reads only.
 */
export const lookAtForeign = async (
  archiver: Archiver,
  source: SourceListing,
  held: Listing,
  request: ForeignRequest,
  signal: AbortSignal = NEVER,
): Promise<ForeignLook> => {
  const candidates = candidatesOf(source, held, request)
  if (candidates.isEmpty) return NOT_LOOKED
  const before = await lookedBefore(archiver, request)
  if (before instanceof ArchiverError) return { ...NOT_LOOKED, unreadable: before }
  const { isFirst, known, again } = before
  const goingOn = new Map<number, string>()
  const toPut: number[] = []
  const compared: number[] = []
  for (const run of candidates.minus(again).take(MOST)) {
    if (signal.aborted) break
    const { finding, signature } = await lookAtOne(archiver, run, signal)
    if (finding === 'same' && !known.has(run)) compared.push(run)
    else if (finding === 'other') toPut.push(run)
    if (finding === 'same' && !known.has(run) && signature !== undefined) goingOn.set(run, signature)
  }
  return { toPut: RunSet.of(toPut), compared: RunSet.of(compared), goingOn, isFirst }
}

/** What earlier looks left, and which runs need none now; the error where it cannot be read, which is no reason to look at all of them again. */
const lookedBefore = async (
  archiver: Archiver,
  request: ForeignRequest,
): Promise<{ readonly isFirst: boolean; readonly known: RunSet; readonly again: RunSet } | ArchiverError> => {
  try {
    const isFirst = (await archiver.watch.read()) === undefined
    const known = isFirst ? RunSet.EMPTY : (await comparedOf(archiver).load()).runs
    return { isFirst, known, again: known.minus(await doubtedOf(archiver, request)) }
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'STATE_UNREADABLE') return error
    throw error
  }
}

/** Runs that are compared although they were before: what they lack may have been lost since. Of many that are asked for, none. */
const doubtedOf = async (archiver: Archiver, { only }: ForeignRequest): Promise<RunSet> => {
  const { damaged } = await provenOf(archiver).load()
  const asked = only !== undefined && only.size <= MOST ? only : RunSet.EMPTY
  return RunSet.of(damaged.keys()).union(asked)
}

/** Which runs a pass may look at. Those that failed are left to a retry. */
export interface ForeignRequest {
  readonly mode: PassMode
  readonly failed: RunSet
  readonly only: RunSet | undefined
  readonly share?: Share | undefined
}

const candidatesOf = (
  source: SourceListing,
  held: Listing,
  { mode, only, share, failed }: ForeignRequest,
): RunSet => {
  if (mode === 'retry') return RunSet.EMPTY
  const all = runsOfShare(share, (held.foreign ?? RunSet.EMPTY).intersect(source.runs).minus(failed))
  return only ? all.intersect(only) : all
}

/** Keeps what need not be looked at again; first what is watched, so that a kill between the two forgets none. Throws what kept from looking. */
export const rememberForeign = async (archiver: Archiver, look: ForeignLook): Promise<void> => {
  const { compared, goingOn, isFirst, unreadable } = look
  if (unreadable) throw unreadable
  if (compared.isEmpty) return
  const watched = new Map([...goingOn].map(([run, signature]) => [run, { signature, ended: false }] as const))
  if (watched.size > 0) await refreshWatchList(archiver, watched, compared, now())
  step('compared runs: watched')
  const proven = comparedOf(archiver)
  if (!isFirst) await proven.load()
  proven.good(compared, now())
  await proven.save()
}

const NEVER = new AbortController().signal

interface Finding {
  readonly finding: 'same' | 'other' | 'unknown'
  /** Of a record without a stop time. */
  readonly signature?: string
}

const lookAtOne = async (archiver: Archiver, run: number, signal: AbortSignal): Promise<Finding> => {
  try {
    const stored = await archiver.artdaq.read(run, signal)
    if (stored.manifest) return { finding: 'same' }
    const readiness = await archiver.records.readiness(run)
    if (!readiness.ready) return { finding: 'unknown' }
    const compared = await foreignDifferences(archiver, stored, signal)
    if (compared === undefined) return { finding: 'unknown' }
    if (compared.differences.length > 0) return { finding: 'other' }
    return readiness.ended ? { finding: 'same' } : { finding: 'same', signature: readiness.signature }
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    switch (error.code) {
      case 'STORE_CORRUPT':
        return { finding: 'other' }
      case 'RECORD_INVALID':
        return { finding: 'same' } // its record cannot be compared, and what is stored is as it was
      case 'NOT_FOUND':
      case 'RECORD_CHANGING':
        return { finding: 'unknown' }
      default:
        throw error
    }
  }
}
