import { ArchiverError } from '../../errors.ts'
import { canonicalOf } from '../../stores/artdaqdb/format/canonical-export.ts'
import { HASHES, hashedEntities } from '../../stores/artdaqdb/format/hashed-entities.ts'
import type { RunDocument, RunDocuments, StoredRun } from '../../stores/run-record.ts'
import type { Copies } from './copies.ts'

/**
 * How the documents that another program stored differ from what the record gives: one sentence each, naming the document. What differs and is right
 * (docs/FORMATS.md, "Runs of other programs"): layout and comments, which artdaq does not keep; the `schema`, which is the site's; what the Python
 * original makes of a file; files that the run says were left out; histories that are not there, for they are made and not read.
 */
export const differsFromDocuments = (
  record: RunDocuments,
  stored: Pick<StoredRun, 'documents'>,
): string[] => {
  const held = new Map(stored.documents.map((document) => [nameOf(document), document]))
  const hashes = stored.documents.find(({ entity }) => entity === HASHES)
  const named = hashes && hashedEntities(hashes.canonical())
  return record.documents
    .filter(({ collection }) => collection !== 'SystemLayout')
    .flatMap((document) => {
      const name = nameOf(document)
      const there = held.get(name)
      if (!there) return (named?.has(document.entity) ?? document.original) ? [lacks(document)] : []
      const text = there.canonical()
      if (text === canonicalOf(document.fhicl) || text === formOf(document)) return []
      return [`${name} in artdaqDB is not what the run record gives`]
    })
}

const lacks = (document: RunDocument): string =>
  document.original
    ? `${document.original.name} has no document in artdaqDB (${nameOf(document)})`
    : `${nameOf(document)} is not in artdaqDB, and the run says that it was`

/** The Python original's text as artdaq's export prints it; undefined where artdaq would have refused it. */
const formOf = ({ originalForm }: RunDocument): string | undefined => {
  const text = originalForm?.()
  if (text === undefined || text === '') return undefined
  try {
    return canonicalOf(text)
  } catch (error) {
    if (error instanceof ArchiverError) return undefined
    throw error
  }
}

const nameOf = ({ collection, entity }: Pick<RunDocument, 'collection' | 'entity'>): string =>
  `${collection}/${entity}`

/**
 * Compares a run that has no manifest of ours with its record, converted again. Undefined where the record cannot be read now: it was removed, is
 * being written to, or its disk is away.
 */
export const foreignDifferences = async (
  { load }: Pick<Copies, 'load'>,
  stored: StoredRun,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> => {
  try {
    return differsFromDocuments(await load(stored.run, signal), stored)
  } catch (error) {
    if (error instanceof ArchiverError && isAway(error)) return undefined
    throw error
  }
}

/** The same of any run: empty where it has a manifest, and where its record cannot be read now. */
export const compareForeign = async (
  archiver: Pick<Copies, 'load'>,
  stored: StoredRun,
  signal: AbortSignal,
): Promise<readonly string[]> =>
  stored.manifest ? [] : ((await foreignDifferences(archiver, stored, signal)) ?? [])

const isAway = ({ code }: ArchiverError): boolean =>
  code === 'NOT_FOUND' || code === 'RECORD_CHANGING' || code === 'SOURCE_UNAVAILABLE'
