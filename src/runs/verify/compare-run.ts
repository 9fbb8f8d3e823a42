import { sameRecord, unpackBlob } from '../../stores/ucondb/blob/blob.ts'
import { differingSections, differsFromManifest } from './compare-copies.ts'
import { compareForeign } from './compare-documents.ts'
import type { RecordManifest, RunRecord, StoredRun } from '../../stores/run-record.ts'
import { ArchiverError, messageOf, toldOf } from '../../errors.ts'
import type { Archiver } from '../archiver.ts'
import { sha256 } from '../workers/convert-run.ts'

/** What one of the three places says of a run. */
type Copy<T> =
  | { readonly is: 'present'; readonly value: T }
  | { readonly is: 'absent' }
  | { readonly is: 'bad'; readonly why: string }

/** The three copies of a run, read back whole and compared. */
export interface RunComparison {
  readonly run: number
  readonly record: Copy<unknown>['is']
  readonly artdaq: Copy<unknown>['is']
  readonly archive: Copy<unknown>['is']
  /** One sentence each; empty when every copy that is there is good and they agree, also where there is one alone. */
  readonly differences: readonly string[]
  /** The record is another than the one that was archived, and says so itself: a pass stores it again, beside what is there. */
  readonly changed: boolean
}

/** Reads a run back from wherever it is, and compares. Trouble with one run is a difference; a store that is away throws. */
export const compareRun = async (
  archiver: Archiver,
  run: number,
  signal: AbortSignal,
): Promise<RunComparison> => {
  const { records, artdaq, archive, pack } = archiver
  const stored = await copyOf(() => artdaq.read(run, signal))
  const record = await copyOf(() => records.read(run, signal))
  const blob = await copyOf(() => archive.get(run, 'newest', signal))
  const differences: string[] = []
  for (const [place, copy] of [
    ['run record', record],
    ['artdaqDB', stored],
    ['archive', blob],
  ] as const)
    if (copy.is === 'bad') differences.push(`${place}: ${copy.why}`)
  let changed = false
  if (record.is === 'present' && stored.is === 'present' && stored.value.manifest) {
    const { manifest } = stored.value
    const found = differsFromManifest(record.value, manifest, sha256)
    changed = found.length > 0 && isAnother(record.value, manifest)
    differences.push(...found)
  }
  if (record.is === 'present' && stored.is === 'present')
    differences.push(...(await compareForeign(archiver, stored.value, signal)))
  if (stored.is === 'present' && blob.is === 'present')
    differences.push(...blobDifferences(stored.value, pack(stored.value), blob.value))
  if (stored.is === 'present')
    differences.push(...(await damagedOlderBlobs(archive, run, stored.value.update, signal)))
  return { run, record: record.is, artdaq: stored.is, archive: blob.is, differences, changed }
}

/**
 * The blobs that an updated run had before, of which readers can be given each: what is wrong with them, one sentence each. One that is not there
 * was superseded before it was migrated.
 */
export const damagedOlderBlobs = async (
  archive: Pick<Archiver['archive'], 'get'>,
  run: number,
  update: number,
  signal: AbortSignal,
): Promise<string[]> => {
  const differences: string[] = []
  for (let older = 0; older < update; older++) {
    const copy = await copyOf(async () => unpackBlob(await archive.get(run, older, signal)))
    if (copy.is === 'bad') differences.push(`archive, before update ${older + 1}: ${copy.why}`)
  }
  return differences
}

/** Whether a record has changed since it was archived. Older signatures do not cover the directory's own mode, and are the beginning of those that do. */
export const isAnother = (record: RunRecord, manifest: RecordManifest): boolean =>
  record.directoryMode !== manifest.directoryMode || !record.signature.startsWith(manifest.signature)

const blobDifferences = ({ run }: StoredRun, packed: Buffer, held: Buffer): string[] => {
  if (sameRecord(packed, held)) return []
  try {
    const differences = differingSections(
      ['artdaqDB', unpackBlob(packed).sections],
      ['the archive', unpackBlob(held).sections],
    )
    return differences.length > 0 ? differences : [`run ${run}: the blobs differ outside their sections`]
  } catch (error) {
    return [`archive: ${messageOf(error)}`]
  }
}

const copyOf = async <T>(read: () => Promise<T>): Promise<Copy<T>> => {
  try {
    return { is: 'present', value: await read() }
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    if (error.code === 'NOT_FOUND') return { is: 'absent' }
    if (error.code.endsWith('UNAVAILABLE')) throw error
    return { is: 'bad', why: toldOf(error) }
  }
}
