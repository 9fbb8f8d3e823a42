import { sameRecord, unpackBlob } from '../../stores/ucondb/blob/blob.ts'
import { differingSections, differsFromManifest } from './compare-copies.ts'
import { damageOfTexts } from '../../stores/run-records/damaged-text.ts'
import { compareForeign, NO_DIFFERENCE } from './compare-documents.ts'
import type { RecordFile, RecordManifest, RunRecord, StoredRun } from '../../stores/run-record.ts'
import { freeAfter } from '../../platform/free-memory.ts'
import { ArchiverError, type Code, messageOf, messageWithCode } from '../../errors.ts'
import type { Copies } from './copies.ts'
import { sha256 } from '../workers/convert-run.ts'

/** What one of the three places says of a run. */
type Copy<T> =
  | { readonly is: 'present'; readonly value: T }
  | { readonly is: 'absent' }
  | { readonly is: 'bad'; readonly why: string; readonly code: Code }

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

/** What else comparing shows: for whoever asks about one stage alone. */
export interface StagedComparison extends RunComparison {
  /** How many updates artdaqDB holds; undefined where it could not be read. */
  readonly update: number | undefined
  /** What is wrong with the text files of the record as it was archived: bytes that no copy has lost. */
  readonly recordDamage: string | undefined
  /** Which of the copies is the damaged one, where the others prove it: undefined where none is, or where that is not known. */
  readonly damaged: 'record' | 'artdaq' | 'archive' | undefined
  /** What is wrong with what the import stored, and with what the migration stored: the first of each. A record that is being written to is neither's. */
  readonly faults: { readonly import: string | undefined; readonly migrate: string | undefined }
}

/** The part of a comparison that is printed. */
export const shownOf = ({
  run,
  record,
  artdaq,
  archive,
  differences,
  changed,
}: RunComparison): RunComparison => ({ run, record, artdaq, archive, differences, changed })

/**
 * Reads a run back from wherever it is, and compares. Trouble with one run is a difference; a store that is away throws. Holds two copies of a run
 * at a time, not four: each step drops what it has compared.
 */
export const compareRun = async (
  copies: Copies,
  run: number,
  signal: AbortSignal,
): Promise<StagedComparison> => {
  const { packed, update, record, recordDamage, ...own } = await compareOwn(copies, run, signal)
  await freeAfter(packed?.length ?? 0)
  const blob = await compareBlob(copies.archive, run, packed, signal)
  await freeAfter(packed?.length ?? 0)
  const older = update === undefined ? [] : await damagedOlderBlobs(copies.archive, run, update, signal)
  const fromDocuments = blob.differences
  const gone = (is: boolean, where: string): string[] => (is ? [`run ${run} is not in ${where}`] : [])
  return {
    run,
    record: record.is,
    artdaq: own.artdaq,
    archive: blob.is,
    differences: [
      ...record.bad,
      ...own.bad,
      ...blob.bad,
      ...record.differences,
      ...own.foreign.differences,
      ...fromDocuments,
      ...older,
    ],
    changed: record.changed || own.foreign.wentOn,
    update,
    recordDamage,
    damaged: damagedOf({
      artdaq: own.artdaq === 'bad',
      record: record.differences.length > 0 && !record.changed,
      archive: own.artdaq === 'present' && (blob.is === 'bad' || fromDocuments.length > 0),
    }),
    faults: {
      import: [
        ...own.bad,
        ...gone(own.artdaq === 'absent', 'artdaqDB'),
        ...(record.isMoving ? [] : record.bad),
        ...record.differences,
        ...own.foreign.differences,
      ][0],
      migrate: [
        ...blob.bad,
        ...gone(blob.is === 'absent', 'the archive'),
        ...own.bad,
        ...fromDocuments,
        ...older,
      ][0],
    },
  }
}

/** What is read from artdaqDB is proved; so where that is sound it is the measure of the other two, and two at once are not known. */
const damagedOf = (
  is: Readonly<Record<'artdaq' | 'record' | 'archive', boolean>>,
): StagedComparison['damaged'] => {
  const [first, second] = (['artdaq', 'record', 'archive'] as const).filter((copy) => is[copy])
  return second === undefined ? first : undefined
}

/** The record and the documents, compared; and the blob that the documents give. */
const compareOwn = async (copies: Copies, run: number, signal: AbortSignal) => {
  const stored = await copyOf(() => copies.artdaq.read(run, signal))
  const value = stored.is === 'present' ? stored.value : undefined
  const bytes = (value ? filesOf(value) : []).reduce((sum, { content }) => sum + content.length, 0)
  await freeAfter(bytes)
  const record = await compareRecord(copies.records, run, value, signal)
  await freeAfter(bytes)
  const isBoth = record.is === 'present' && value !== undefined
  // A document that was read may still be one that cannot be printed.
  const foreign = await copyOf(async () =>
    isBoth ? await compareForeign(copies, value, signal) : NO_DIFFERENCE,
  )
  const packed = await copyOf(() => value && copies.pack(value))
  const bad = [stored, foreign, packed].find(({ is }) => is === 'bad')
  return {
    artdaq: bad?.is ?? stored.is,
    bad: bad ? badness('artdaqDB', bad) : [],
    record,
    foreign: foreign.is === 'present' ? foreign.value : NO_DIFFERENCE,
    update: value?.update,
    recordDamage: value && damageOfTexts(filesOf(value)),
    packed: packed.is === 'present' ? packed.value : undefined,
  }
}

/**
 * The record against what was archived, of which reading has proved that it is what the manifest says; without a manifest the record is only read.
 * One in which nothing differs is not looked at a second time: whatever came and went meanwhile, its bytes are those that were archived.
 */
const compareRecord = async (
  records: Copies['records'],
  run: number,
  stored: StoredRun | undefined,
  signal: AbortSignal,
) => {
  const manifest = stored?.manifest
  const kept = new Map(stored && filesOf(stored).map(({ name, content }) => [name, content]))
  let differences: readonly string[] = []
  const isArchived = (record: RunRecord): boolean => {
    differences = manifest ? differsFromManifest(record, manifest, sha256, kept) : []
    return manifest !== undefined && differences.length === 0
  }
  const copy = await copyOf(() => records.read(run, signal, { isExpected: isArchived }))
  return {
    is: copy.is,
    bad: badness('run record', copy),
    isMoving: copy.is === 'bad' && copy.code === 'RECORD_CHANGING',
    differences: copy.is === 'present' ? differences : [],
    changed:
      copy.is === 'present' &&
      manifest !== undefined &&
      differences.length > 0 &&
      isAnother(copy.value, manifest),
  }
}

/** The archive's blob against the one that the documents give; where they cannot be read, it is only read. */
const compareBlob = async (
  archive: Copies['archive'],
  run: number,
  packed: Buffer | undefined,
  signal: AbortSignal,
) => {
  const copy = await copyOf(() => archive.get(run, 'newest', signal))
  const differences = copy.is === 'present' && packed ? blobDifferences(run, packed, copy.value) : []
  return { is: copy.is, bad: badness('archive', copy), differences }
}

const filesOf = ({ documents, attached }: StoredRun): readonly RecordFile[] => [
  ...documents.flatMap(({ original }) => original ?? []),
  ...attached,
]

const badness = (place: string, copy: Copy<unknown>): string[] =>
  copy.is === 'bad' ? [`${place}: ${copy.why}`] : []

/**
 * The blobs that an updated run had before, of which readers can be given each: what is wrong with them, one sentence each. One that is not there
 * was superseded before it was migrated.
 */
export const damagedOlderBlobs = async (
  archive: Copies['archive'],
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

const blobDifferences = (run: number, packed: Buffer, held: Buffer): string[] => {
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

const copyOf = async <T>(read: () => T | Promise<T>): Promise<Copy<T>> => {
  try {
    return { is: 'present', value: await read() }
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    if (error.code === 'NOT_FOUND') return { is: 'absent' }
    if (error.code.endsWith('UNAVAILABLE')) throw error
    return { is: 'bad', why: messageWithCode(error), code: error.code }
  }
}
