import { step } from '../../../platform/atomic-file.ts'
import type { PrintedParts } from '../../../fhicl/to-json.ts'
import { documentText, type DocumentFacts } from '../format/document-printer.ts'
import { COMMIT_MARK } from '../names.ts'
import { type NewFile, placeFiles } from './write-files.ts'

/** A document that is to be written. */
export interface NewDocument {
  readonly path: string
  readonly parts: PrintedParts
  readonly facts: DocumentFacts
}

/** What is asked between two steps of a longer work; it throws where the work is to be dropped. */
export type Stop = Pick<AbortSignal, 'throwIfAborted'>

/**
 * Writes documents of a run into a database's collections, those of SystemLayout last, whole and durably but for their names (`placeFiles`).
 * They count for nothing before an index names them.
 */
export const placeDocuments = async (
  database: string,
  documents: readonly NewDocument[],
  stop: Stop,
): Promise<void> => {
  const inOrder = documents.toSorted(marksLast)
  const marks = inOrder.filter(isMark).length
  await placeFiles(database, inOrder.map(fileOf), {
    stop,
    placed: (position) => {
      step('artdaq-put: a document is in place')
      if (position + 1 === inOrder.length - marks) step('artdaq-put: all but the schema is in place')
    },
  })
}

const marksLast = (a: NewDocument, b: NewDocument): number => Number(isMark(a)) - Number(isMark(b))

const fileOf = ({ path, parts, facts }: NewDocument): NewFile => ({
  path,
  text: () => documentText(parts, facts),
})

const isMark = ({ facts }: NewDocument): boolean => facts.collection === COMMIT_MARK
