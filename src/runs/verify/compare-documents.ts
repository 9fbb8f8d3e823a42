import { ArchiverError } from '../../errors.ts'
import { canonicalOf } from '../../stores/artdaqdb/format/canonical-export.ts'
import type { RunDocument, RunDocuments, StoredRun } from '../../stores/run-record.ts'
import type { Archiver } from '../archiver.ts'

/**
 * How the documents that another program stored differ from what the record gives: one sentence each, naming the document. What differs and is
 * right: layout and comments, which artdaq does not keep; the `schema`, which is the site's and not of the record; and RunHistory documents that
 * are not there, for they are made and not read.
 */
export const differsFromDocuments = (
  record: RunDocuments,
  stored: Pick<StoredRun, 'documents'>,
): string[] => {
  const held = new Map(stored.documents.map((document) => [nameOf(document), document]))
  return record.documents
    .filter(({ collection }) => collection !== 'SystemLayout')
    .flatMap((document) => {
      const name = nameOf(document)
      const there = held.get(name)
      if (!there)
        return document.original ? [`${document.original.name} has no document in artdaqDB (${name})`] : []
      if (there.canonical() === canonicalOf(document.fhicl)) return []
      return [`${name} in artdaqDB is not what the run record gives`]
    })
}

const nameOf = ({ collection, entity }: Pick<RunDocument, 'collection' | 'entity'>): string =>
  `${collection}/${entity}`

/**
 * Compares a run that has no manifest of ours with its record, converted again. Empty where the record cannot be read now: it was removed, is
 * being written to, or its disk is away.
 */
export const compareForeign = async (
  { load }: Pick<Archiver, 'load'>,
  stored: StoredRun,
  signal: AbortSignal,
): Promise<string[]> => {
  if (stored.manifest) return []
  try {
    return differsFromDocuments(await load(stored.run, signal), stored)
  } catch (error) {
    if (error instanceof ArchiverError && isAway(error)) return []
    throw error
  }
}

const isAway = ({ code }: ArchiverError): boolean =>
  code === 'NOT_FOUND' || code === 'RECORD_CHANGING' || code === 'SOURCE_UNAVAILABLE'
