import { ArchiverError } from '../../errors.ts'
import type { RecordManifest } from '../../core/run-record.ts'
import type { Plain } from './attachments.ts'
import { newest, type Held } from './held.ts'
import { nextVersion } from './names.ts'
import type { Stored } from './stored-document.ts'

/** A document of a run, ready to be written. */
export interface Prepared {
  readonly collection: string
  readonly entity: string
  /** Its parameters and their comments, as artdaq's JSON: what two equal documents have in common. */
  readonly content: string
  readonly rawdata: readonly string[]
  readonly attachments: readonly Plain[]
}

/** What has to be done for a run, so that all of it is there. Documents that are there are never written over. */
export interface PutPlan<Document extends Prepared = Prepared> {
  readonly configuration: string
  readonly version: string
  /** `oid`: the index knows the document already, only its file is gone, so it is written again under its old name. */
  readonly write: readonly { readonly document: Document; readonly oid: string | undefined }[]
  /** Orphans that say just what was to be written: they only need their place in the index. */
  readonly adopt: readonly Held[]
  /** Orphans of ours that a killed pass left and the record has moved on since: they never counted as stored. */
  readonly setAside: readonly Held[]
  readonly result: 'stored' | 'present' | 'updated'
}

/** What is known of a run before it is put. */
export interface Known {
  readonly run: number
  readonly configuration: string
  readonly held: readonly Held[]
  readonly manifest: RecordManifest | undefined
}

/**
 * Decides what to write of a run. Nothing held: all of it. Held in part: what is missing (D2). Held with other content:
 * an update beside it where our manifest shows that the record went on after it was archived; otherwise CONFLICT, naming
 * the documents, and nothing is written.
 */
export function planPut<Document extends Prepared>(
  known: Known,
  documents: readonly Document[],
  manifest: RecordManifest | undefined,
): PutPlan<Document> {
  const before = known.manifest
  if (!before || !manifest) return complete(known, documents)
  if (sameRecord(before, manifest)) return complete(known, documents, { trustManifest: true })
  const gone = before.ended ? missingFiles(before, manifest) : []
  if (gone.length > 0)
    throw conflict(known.run, `files that were archived are gone from its record: ${some(gone)}`)
  return update(known, documents)
}

/** Whether two manifests tell of the same record: the signature, which a mere touch changes, is no part of it. */
export const sameRecord = (a: RecordManifest, b: RecordManifest): boolean =>
  JSON.stringify(comparable(a)) === JSON.stringify(comparable(b))

function complete<Document extends Prepared>(
  { run, configuration, held }: Known,
  documents: readonly Document[],
  { trustManifest = false } = {},
): PutPlan<Document> {
  const write: { document: Document; oid: string | undefined }[] = []
  const adopt: Held[] = []
  const setAside: Held[] = []
  const differing: string[] = []
  for (const document of documents) {
    const there = of(held, document)
    const known = newest(there.filter(({ indexed, stored }) => indexed && stored))
    if (known?.stored && trustManifest) requireKept(document, known.stored, run)
    if (known?.stored && (trustManifest || same(document, known))) continue
    if (known) {
      differing.push(document.entity)
      continue
    }
    const orphans = there.filter(({ indexed }) => !indexed)
    const alike = newest(orphans.filter((orphan) => same(document, orphan)))
    const other = orphans.filter((orphan) => orphan !== alike)
    if (other.some((orphan) => !isOurs(orphan) && !alike)) differing.push(document.entity)
    setAside.push(...other.filter(isOurs))
    if (alike) adopt.push(alike)
    else write.push({ document, oid: there.find(({ indexed }) => indexed)?.oid })
  }
  if (differing.length > 0)
    throw conflict(run, `artdaqDB holds other content under ${configuration} for ${some(differing)}`)
  const version = newest(held.filter((one) => one.indexed && one.collection.name === 'SystemLayout'))?.version
  const result = write.length + adopt.length === 0 ? 'present' : 'stored'
  return { configuration, version: version ?? configuration, write, adopt, setAside, result }
}

function update<Document extends Prepared>(
  { configuration, held }: Known,
  documents: readonly Document[],
): PutPlan<Document> {
  const counted = held.filter((one) => one.indexed || !isOurs(one))
  const version = nextVersion(
    configuration,
    counted.map((one) => one.version),
  )
  const changed = documents.filter((document) => {
    const known = newest(of(counted, document).filter(({ stored }) => stored))
    return document.collection === 'SystemLayout' || !known || !same(document, known)
  })
  const orphans = held.filter((one) => !one.indexed && isOurs(one))
  const adopt: Held[] = []
  const write = changed.flatMap((document) => {
    const alike = of(orphans, document).find((one) => one.version === version && same(document, one))
    if (alike) adopt.push(alike)
    return alike ? [] : [{ document, oid: undefined }]
  })
  const setAside = orphans.filter((one) => !adopt.includes(one))
  return { configuration, version, write, adopt, setAside, result: 'updated' }
}

/** Every document of a record of ours keeps at least one string, its original or its text (`originalStrings`). */
const isOurs = ({ stored }: Held): boolean => (stored?.originals.text ?? undefined) !== undefined

function same(document: Prepared, { stored }: Held): boolean {
  if (stored?.content !== document.content) return false
  // What other programs stored has no originals: there the values decide.
  if (stored.originals.text === undefined || document.rawdata.length === 0) return true
  return (
    JSON.stringify(stored.rawdata) === JSON.stringify(document.rawdata) &&
    JSON.stringify(stored.attachments) === JSON.stringify(document.attachments)
  )
}

/**
 * The manifests agree, so that the record is the same; then what was kept of it must be the same too. Its FHiCL need
 * not be: a later version of this program may convert otherwise. Throws STORE_CORRUPT, naming the file.
 */
function requireKept(document: Prepared, stored: Stored, run: number): void {
  const originals = (rawdata: readonly string[]): readonly string[] =>
    rawdata.filter((text) => text.startsWith('original '))
  const files = (attachments: readonly Plain[]): readonly Plain[] =>
    attachments.filter((one) => typeof one === 'object' && !Array.isArray(one) && 'content' in one)
  const mine = [originals(document.rawdata), files(document.attachments)]
  const theirs = [originals(stored.rawdata), files(stored.attachments)]
  if (stored.originals.text === undefined || JSON.stringify(mine) === JSON.stringify(theirs)) return
  throw new ArchiverError('STORE_CORRUPT', `run ${run}: what ${stored.path} keeps of the record is damaged`, {
    run,
  })
}

const of = (held: readonly Held[], { collection, entity }: Prepared): readonly Held[] =>
  held.filter((one) => one.collection.name === collection && one.entities.includes(entity))

const comparable = ({ signature: _, ...record }: RecordManifest): unknown => [
  record.run,
  record.directory,
  record.directoryMode,
  record.ended,
  record.folders.map(({ name, mode }) => [name, mode]),
  record.skipped.map(({ name, kind }) => [name, kind]),
  record.files.map(({ name, mode, size, sha256 }) => [name, mode, size, sha256]),
]

const missingFiles = (before: RecordManifest, after: RecordManifest): readonly string[] => {
  const there = new Set(after.files.map(({ name }) => name))
  return before.files.map(({ name }) => name).filter((name) => !there.has(name))
}

const some = (names: readonly string[]): string =>
  names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ')

const conflict = (run: number, reason: string): ArchiverError =>
  new ArchiverError('CONFLICT', `run ${run}: ${reason}`, {
    run,
    hint: `compare them with: run-archiver diff ${run}`,
  })
