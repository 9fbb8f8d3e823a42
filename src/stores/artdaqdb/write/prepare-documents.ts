import { printedParts, type PrintedParts } from '../../../fhicl/to-json.ts'
import { parseFhicl } from '../../../fhicl/parser.ts'
import type { RecordFile, RunDocument, RunDocuments } from '../../run-record.ts'
import { ArchiverError, messageOf } from '../../../errors.ts'
import { attachmentsOf } from '../format/attachments.ts'
import type { Held } from '../index/run-documents.ts'
import { COMMIT_MARK } from '../names.ts'
import { originalStrings } from '../format/originals.ts'
import type { Prepared } from './put-plan.ts'
import { contentOf } from '../format/document-reader.ts'

/** A document with its FHiCL converted. */
export interface Ready extends Prepared {
  readonly parts: PrintedParts
}

/**
 * Converts a run's documents and puts beside each what must be kept of the record: originals with the documents, the
 * manifest and all else with the `schema`. Without a manifest nothing is added, and the documents are artdaq's own, byte
 * for byte. Throws FHICL_INVALID naming run and document.
 */
export function prepare(run: RunDocuments, held: readonly Held[]): readonly Ready[] {
  const attachments = attachmentsOf(run, [...run.attached, ...withoutCarrier(run, held)])
  let carrier = true
  return run.documents.map((document) => {
    const parts = partsOf(run.run, document)
    const carries = carrier && document.collection === COMMIT_MARK
    if (carries) carrier = false
    return {
      collection: document.collection,
      entity: document.entity,
      // Only needed where the run is there already.
      get content() {
        return contentOf(parts)
      },
      rawdata: run.manifest ? originalStrings(document) : [],
      attachments: carries ? attachments : [],
      parts,
    }
  })
}

/**
 * Originals of documents that another program stored before us: those documents stay as they are and have no room for
 * them, so the `schema` carries them.
 */
function withoutCarrier(run: RunDocuments, held: readonly Held[]): readonly RecordFile[] {
  if (!run.manifest) return []
  return run.documents.flatMap(({ collection, entity, original }) => {
    const theirs = held.some(
      (one) =>
        one.collection.name === collection &&
        one.entities.includes(entity) &&
        one.stored !== undefined &&
        one.stored.originals.text === undefined,
    )
    return theirs && original ? [original] : []
  })
}

function partsOf(run: number, { entity, fhicl, printed }: RunDocument): PrintedParts {
  try {
    return printed ?? printedParts(parseFhicl(fhicl))
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    throw new ArchiverError(error.code, `run ${run}: ${entity}: ${messageOf(error)}`, { cause: error, run })
  }
}
