import { isDeepStrictEqual } from 'node:util'
import { ArchiverError } from '../../../errors.ts'
import type { RecordManifest } from '../../run-record.ts'
import type { Plain } from '../format/attachments.ts'
import { newest, type Held } from '../index/run-documents.ts'
import { COMMIT_MARK, nextVersion } from '../names.ts'
import type { Stored } from '../format/document-reader.ts'
import { missingFiles, sameRecord } from './compare-manifests.ts'

/** A document of a run, ready to be written. */
export interface Prepared {
  readonly collection: string
  readonly entity: string
  /** Its parameters and their comments, as artdaq's JSON: what two equal documents have in common. */
  readonly content: string
  readonly rawdata: readonly string[]
  readonly attachments: readonly Plain[]
  /** The content as the Python original makes it, where that may be another. */
  readonly originalContent?: string | undefined
  /** The contents that it may have had before the record went on. */
  readonly earlierContents?: readonly string[]
  /** Whether it was made from a file of the record. */
  readonly isOfFile: boolean
}

/** What has to be done for a run, so that all of it is there. Documents that are there are never written over. */
export interface PutPlan<Document extends Prepared = Prepared> {
  readonly configuration: string
  readonly version: string
  /** `again`: the index knows the document already, only its file is gone, so it is written again under its old oid and version. */
  readonly write: readonly { readonly document: Document; readonly again: Held | undefined }[]
  /** Orphans that say just what the record says: they only need their place in the index. */
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
  /** Orphans of the run under another configuration than the one that counts. */
  readonly others: readonly Held[]
  readonly manifest: RecordManifest | undefined
  /** Where another program stored the run: the documents that it says it stored, `undefined` where it does not say. */
  readonly foreign?:
    { readonly entities: ReadonlySet<string> | undefined; readonly hasLostHashes: boolean } | undefined
  /** Another program stored the run as its record was before it went on (`recordWentOn`). */
  readonly goesOn?: boolean
}

/**
 * Decides what to write of a run. Nothing held: all of it. Held in part: what is missing. Held with other content:
 * an update beside it where our manifest shows that the record went on after it was archived; otherwise CONFLICT, naming
 * the documents, and nothing is written. What a plan leaves behind is whole in a listing's eyes too; where it could not be,
 * STORE_CORRUPT names the files.
 */
export function planPut<Document extends Prepared>(
  known: Known,
  documents: readonly Document[],
  manifest: RecordManifest | undefined,
): PutPlan<Document> {
  if (known.goesOn) return update(known, documents)
  const before = known.manifest
  if (!before || !manifest) return complete(known, documents)
  if (sameRecord(before, manifest)) return complete(known, documents, { trustManifest: true })
  const gone = before.ended ? missingFiles(before, manifest) : []
  if (gone.length > 0)
    throw conflict(known.run, `files that were archived are gone from its record: ${some(gone)}`)
  return update(known, documents)
}

function complete<Document extends Prepared>(
  known: Known,
  documents: readonly Document[],
  { trustManifest = false } = {},
): PutPlan<Document> {
  const { run, configuration, held } = known
  const write: { document: Document; again: Held | undefined }[] = []
  const adopt: Held[] = []
  const differing: string[] = []
  for (const document of documents) {
    const there = documentsOf(held, document)
    const counts = newest(there.filter(({ indexed }) => indexed))
    const orphans = there.filter(({ indexed }) => !indexed)
    const alike = orphans.filter((orphan) => same(document, orphan))
    adopt.push(...chosenOf(alike, counts !== undefined))
    if (counts?.stored) {
      if (trustManifest) requireKept(document, counts.stored, run)
      else if (!same(document, counts)) differing.push(document.entity)
    } else if (counts || alike.length === 0) write.push({ document, again: counts })
    if (!counts && alike.length === 0 && !orphans.every(isOurs)) differing.push(document.entity)
  }
  if (differing.length > 0)
    throw conflict(run, `artdaqDB holds other content under ${configuration} for ${some(differing)}`)
  const version = newest(held.filter((one) => one.indexed && one.collection.name === 'SystemLayout'))?.version
  const result = write.length + adopt.length === 0 ? 'present' : 'stored'
  const setAside = leftOver(known, documents, adopt)
  return { configuration, version: version ?? configuration, write, adopt, setAside, result }
}

/**
 * Those of other programs are taken over: nothing else makes them part of the run. Of ours one is enough, and none where the index has
 * the document already.
 */
function chosenOf(alike: readonly Held[], isIndexed: boolean): readonly Held[] {
  const theirs = alike.filter((orphan) => !isOurs(orphan))
  const ours = newest(alike.filter(isOurs))
  return theirs.length > 0 || isIndexed || !ours ? theirs : [ours]
}

/**
 * The orphans that are neither part of the record nor anybody's but ours. Throws STORE_CORRUPT, naming the files, where something is left
 * that makes the run incomplete whatever is written: orphans of other programs, documents that are gone and that the record does not have.
 */
function leftOver(
  { run, held, others }: Known,
  documents: readonly Prepared[],
  adopt: readonly Held[],
): readonly Held[] {
  const orphans = [...held.filter(({ indexed }) => !indexed), ...others].filter((one) => !adopt.includes(one))
  const theirs = orphans.filter((orphan) => !isOurs(orphan))
  if (theirs.length > 0)
    throw corrupt(
      run,
      `in no index, and not what the record says: ${some(theirs.map(pathOf))}`,
      'run-archiver artdaq repair takes them into the index; then it shows whether they are what counts',
    )
  const known = held.filter(({ indexed }) => indexed)
  const gone = known.filter(
    (one) =>
      !one.stored &&
      !documents.some((document) => documentsOf([one], document).length > 0) &&
      one.entities.some((entity) => newest(known.filter((other) => isOf(other, one, entity))) === one),
  )
  if (gone.length > 0)
    throw corrupt(
      run,
      `in the index, gone from the disk, and nothing that its record has: ${some(gone.map(pathOf))}`,
      'put them back from a backup, or run-archiver artdaq repair, which takes them out of the index',
    )
  return orphans
}

function update<Document extends Prepared>(known: Known, documents: readonly Document[]): PutPlan<Document> {
  const { configuration, held } = known
  const counted = held.filter((one) => one.indexed)
  const version = nextVersion(
    configuration,
    counted.map((one) => one.version),
  )
  const changed = documents.filter((document) => {
    const before = newest(documentsOf(counted, document))
    const isThere = before?.stored !== undefined && before.collection.name === document.collection
    return document.collection === COMMIT_MARK || !isThere || !same(document, before)
  })
  const orphans = held.filter((one) => !one.indexed && isOurs(one))
  const adopt: Held[] = []
  const write = changed.flatMap((document) => {
    const alike = documentsOf(orphans, document).find((one) => one.version === version && same(document, one))
    if (alike) adopt.push(alike)
    return alike ? [] : [{ document, again: undefined }]
  })
  const setAside = leftOver(known, documents, adopt)
  return { configuration, version, write, adopt, setAside, result: 'updated' }
}

/** Every document of a record of ours keeps at least one string, its original or its text (`originalStrings`). */
const isOurs = ({ stored }: Held): boolean => (stored?.originals.text ?? undefined) !== undefined

const same = (document: Prepared, { stored }: Held): boolean =>
  stored !== undefined && isAlike(document, stored)

/** Whether a document that is there says what another one does. */
export function isAlike(
  document: Pick<Prepared, 'content' | 'originalContent' | 'rawdata' | 'attachments'>,
  stored: Stored,
): boolean {
  const isTheirs = stored.originals.text === undefined
  const { content } = stored
  if (content !== document.content && !(isTheirs && content === document.originalContent)) return false
  // What other programs stored has no originals: there the values decide.
  if (isTheirs || document.rawdata.length === 0) return true
  return areSame(stored.rawdata, document.rawdata) && areSame(stored.attachments, document.attachments)
}

/** One by one: all of them printed may be larger than any string can be. */
const areSame = (some: readonly Plain[], others: readonly Plain[]): boolean =>
  some.length === others.length && some.every((one, position) => isDeepStrictEqual(one, others[position]))

/**
 * The manifests agree, so that the record is the same; then what was kept of it must be the same too. Its FHiCL need
 * not be: a later version of this program may convert otherwise. Throws STORE_CORRUPT, naming the file.
 */
function requireKept(document: Prepared, stored: Stored, run: number): void {
  const originals = (rawdata: readonly string[]): readonly string[] =>
    rawdata.filter((text) => text.startsWith('original '))
  const files = (attachments: readonly Plain[]): readonly Plain[] =>
    attachments.filter((one) => typeof one === 'object' && !Array.isArray(one) && 'content' in one)
  if (stored.originals.text === undefined) return
  const { rawdata, attachments } = stored
  if (
    areSame(originals(document.rawdata), originals(rawdata)) &&
    areSame(files(document.attachments), files(attachments))
  )
    return
  throw new ArchiverError('STORE_CORRUPT', `run ${run}: what ${stored.path} keeps of the record is damaged`, {
    run,
  })
}

/** Those of an entity. Other programs sort documents into collections of their own; the marks are the same for all. */
export const documentsOf = (
  held: readonly Held[],
  { collection: name, entity }: Prepared,
): readonly Held[] => {
  const isMark = name === COMMIT_MARK
  return held.filter(
    (one) => (one.collection.name === COMMIT_MARK) === isMark && one.entities.includes(entity),
  )
}

const isOf = (one: Held, { collection }: Held, entity: string): boolean =>
  one.collection === collection && one.entities.includes(entity)

const pathOf = ({ collection, oid }: Held): string => collection.documentPath(oid)

const some = (names: readonly string[]): string =>
  names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '')

const corrupt = (run: number, reason: string, hint: string): ArchiverError =>
  new ArchiverError('STORE_CORRUPT', `run ${run}: ${reason}`, { run, hint })

const conflict = (run: number, reason: string): ArchiverError =>
  new ArchiverError('CONFLICT', `run ${run}: ${reason}`, {
    run,
    hint: `compare them with: run-archiver diff ${run}`,
  })
