import { printedParts, type PrintedParts } from '../../../fhicl/to-json.ts'
import { tryFhicl } from '../../../fhicl/try-parse.ts'
import { parseFhicl } from '../../../fhicl/parser.ts'
import type { RecordFile, RunDocument, RunDocuments } from '../../run-record.ts'
import { ArchiverError, messageOf } from '../../../errors.ts'
import { attachmentsOf, documentName } from '../format/attachments.ts'
import { hasTraces } from '../format/proof.ts'
import { newest, type Held } from '../index/run-documents.ts'
import { COMMIT_MARK, requireSafeName } from '../names.ts'
import { originalStrings } from '../format/originals.ts'
import type { Prepared } from './put-plan.ts'
import { contentOf } from '../format/document-reader.ts'

/** A document with its FHiCL converted. */
export interface Ready extends Prepared {
  readonly parts: PrintedParts
}

/**
 * Refuses a run that cannot be stored as it is, before anything is written: names that artdaq's tools could take for something else, two
 * documents of one name, a manifest that no document could carry. Throws RECORD_INVALID.
 */
export function requireSound({ run, configName, documents, manifest, attached }: RunDocuments): void {
  requireSafeName('configuration', configName, run)
  const seen = new Set<string>()
  for (const { collection, entity } of documents) {
    requireSafeName('entity', entity, run)
    const name = `${collection}/${entity}`
    if (seen.has(name))
      throw new ArchiverError('RECORD_INVALID', `run ${run} has two documents ${name}`, { run })
    seen.add(name)
  }
  const carries = documents.some((document: RunDocument) => document.collection === COMMIT_MARK)
  if ((manifest !== undefined || attached.length > 0) && !carries)
    throw new ArchiverError(
      'RECORD_INVALID',
      `run ${run} has no document in ${COMMIT_MARK} to keep its manifest`,
      {
        run,
      },
    )
}

/**
 * Converts a run's documents and puts beside each what must be kept of the record: originals with the documents, the
 * manifest and all else with the `schema`. Without a manifest nothing is added, and the documents are artdaq's own, byte
 * for byte. Throws FHICL_INVALID naming run and document.
 */
export function prepare(run: RunDocuments, held: readonly Held[]): readonly Ready[] {
  const hasManifest = run.manifest !== undefined && !isForeign(held)
  const attachments = attachmentsOf(
    run,
    [...run.attached, ...withoutCarrier(run, held)],
    unsealedOf(run, held),
  )
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
      get originalContent() {
        return originalContentOf(document)
      },
      isOfFile: document.original !== undefined,
      rawdata: hasManifest ? originalStrings(document) : [],
      attachments: carries ? attachments : [],
      parts,
    }
  })
}

/**
 * Whether another program's `schema` stands for the run: no manifest can be given to it, and documents that are added to it are artdaq's own, as
 * the others are.
 */
export const isForeign = (held: readonly Held[]): boolean => {
  const counts = newest(held.filter((one) => one.indexed && one.collection.name === COMMIT_MARK))
  return counts?.stored !== undefined && !hasTraces(counts.stored)
}

/** Documents that stay as they are, and have no seal. */
const unsealedOf = (run: RunDocuments, held: readonly Held[]): readonly string[] =>
  run.documents
    .filter(({ collection, entity }) => {
      const ofIt = held.filter((one) => one.collection.name === collection && one.entities.includes(entity))
      const counts = newest(ofIt)
      return counts?.stored !== undefined && !counts.stored.hasSeal
    })
    .map(documentName)

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

/** Where the Python original's text is none that artdaq takes, it stored nothing. */
const originalContentOf = ({ originalForm }: RunDocument): string | undefined => {
  const text = originalForm?.()
  const parsed = text === undefined || text === '' ? undefined : tryFhicl(text)
  return parsed && contentOf(printedParts(parsed))
}

function partsOf(run: number, { entity, fhicl, printed }: RunDocument): PrintedParts {
  try {
    return printed ?? printedParts(parseFhicl(fhicl))
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    throw new ArchiverError(error.code, `run ${run}: ${entity}: ${messageOf(error)}`, { cause: error, run })
  }
}
