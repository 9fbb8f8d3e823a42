import { ArchiverError } from '../../errors.ts'
import { canonicalOf } from '../../stores/artdaqdb/format/canonical-export.ts'
import { type ForeignMatch, wentOn } from '../../stores/artdaqdb/format/record-went-on.ts'
import { damageOfHashes, HASHES, hashedEntities } from '../../stores/artdaqdb/format/hashed-entities.ts'
import type { RunDocument, RunDocuments, StoredRun } from '../../stores/run-record.ts'
import type { Copies } from './copies.ts'

/** A run that another program stored, compared with its record. */
export interface ForeignComparison {
  /** One sentence each, naming the document. */
  readonly differences: readonly string[]
  /** What is stored is the record as it was before it ended: the next pass stores it again, beside what is there. */
  readonly wentOn: boolean
}

/**
 * How the documents that another program stored differ from what the record gives. What differs and is right
 * (docs/FORMATS.md, "Runs of other programs"): layout and comments, which artdaq does not keep; the `schema`, which is the site's; what the Python
 * original makes of a file; files that the run says were left out; histories that are not there, for they are made and not read.
 */
export const differsFromDocuments = (
  record: RunDocuments,
  stored: Pick<StoredRun, 'documents' | 'hasLostHashes'>,
): ForeignComparison => {
  const held = new Map(stored.documents.map((document) => [nameOf(document), document]))
  const hashes = stored.documents.find(({ entity }) => entity === HASHES)
  const listed = hashes?.canonical()
  const named = listed === undefined ? undefined : hashedEntities(listed)
  const damage = listed === undefined ? undefined : damageOfHashes(listed, record.documents)
  const matches = new Map<string, ForeignMatch>()
  const differences = record.documents
    .filter(({ collection }) => collection !== 'SystemLayout')
    .flatMap((document) => {
      const name = nameOf(document)
      const there = held.get(name)
      if (!there) return (named?.has(document.entity) ?? document.original) ? [lacks(document)] : []
      const match = matchOf(document, there.canonical())
      matches.set(document.entity, match)
      return match === 'same' ? [] : [`${name} in artdaqDB is not what the run record gives`]
    })
  if (stored.hasLostHashes)
    return {
      differences: [
        `RunHistory/${HASHES} in artdaqDB is lost: nothing says which documents the run had`,
        ...differences,
      ],
      wentOn: false,
    }
  if (damage !== undefined)
    return {
      differences: [...differences, `RunHistory/${HASHES} in artdaqDB is damaged: ${damage}`],
      wentOn: false,
    }
  return { differences, wentOn: wentOn(matches, record.manifest?.ended ?? false) }
}

const matchOf = (document: RunDocument, text: string): ForeignMatch => {
  if (text === canonicalOf(document.fhicl) || text === printedOf(document.originalForm?.())) return 'same'
  return document.earlierForms?.().some((form) => text === printedOf(form)) ? 'earlier' : 'other'
}

const lacks = (document: RunDocument): string =>
  document.original
    ? `${document.original.name} has no document in artdaqDB (${nameOf(document)})`
    : `${nameOf(document)} is not in artdaqDB, and the run says that it was`

/** A text as artdaq's export prints it; undefined where artdaq would have refused it. */
export const printedOf = (text: string | undefined): string | undefined => {
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
): Promise<ForeignComparison | undefined> => {
  try {
    return differsFromDocuments(await load(stored.run, signal), stored)
  } catch (error) {
    if (error instanceof ArchiverError && isAway(error)) return undefined
    throw error
  }
}

/** The same of any run: nothing where it has a manifest, and where its record cannot be read now. */
export const compareForeign = async (
  archiver: Pick<Copies, 'load'>,
  stored: StoredRun,
  signal: AbortSignal,
): Promise<ForeignComparison> =>
  (stored.manifest ? undefined : await foreignDifferences(archiver, stored, signal)) ?? NO_DIFFERENCE

/** Of a run that is not compared so. */
export const NO_DIFFERENCE: ForeignComparison = { differences: [], wentOn: false }

const isAway = ({ code }: ArchiverError): boolean =>
  code === 'NOT_FOUND' || code === 'RECORD_CHANGING' || code === 'SOURCE_UNAVAILABLE'
