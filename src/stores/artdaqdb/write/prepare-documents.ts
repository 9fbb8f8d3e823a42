import { printedParts, type PrintedParts } from '../../../fhicl/to-json.ts'
import { tryFhicl } from '../../../fhicl/try-parse.ts'
import { parseFhicl } from '../../../fhicl/parser.ts'
import type { RunDocument, RunDocuments } from '../../run-record.ts'
import { ArchiverError, messageOf } from '../../../errors.ts'
import { attachmentsOf, documentName, type Plain } from '../format/attachments.ts'
import { hasTraces } from '../format/proof.ts'
import { newest, type Held } from '../index/run-documents.ts'
import { COMMIT_MARK, requireSafeName } from '../names.ts'
import { originalStrings } from '../format/originals.ts'
import { isAlike, type Prepared } from './put-plan.ts'
import { contentOf, type Stored } from '../format/document-reader.ts'

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
export function prepare(run: RunDocuments, held: readonly Held[], { goesOn = false } = {}): readonly Ready[] {
  const hasManifest = run.manifest !== undefined && (goesOn || !isForeign(held))
  const ready: ReadyDocument[] = []
  for (const document of run.documents) ready.push(new ReadyDocument(run.run, document, hasManifest))
  const carrier = ready.find(isCarrier)
  if (carrier) carrier.attachments = attachmentsBeside(run, ready, held)
  return ready
}

const isCarrier = ({ collection }: ReadyDocument): boolean => collection === COMMIT_MARK

class ReadyDocument implements Ready {
  readonly collection: string
  readonly entity: string
  readonly isOfFile: boolean
  readonly rawdata: readonly string[]
  readonly parts: PrintedParts
  readonly original: RunDocument['original']
  attachments: readonly Plain[] = NOTHING
  readonly #document: RunDocument

  constructor(run: number, document: RunDocument, hasManifest: boolean) {
    this.collection = document.collection
    this.entity = document.entity
    this.isOfFile = document.original !== undefined
    this.rawdata = hasManifest ? originalStrings(document) : []
    this.parts = partsOf(run, document)
    this.original = document.original
    this.#document = document
  }

  // These are only needed where the run is there already.
  get content(): string {
    return contentOf(this.parts)
  }

  get originalContent(): string | undefined {
    return contentOfText(this.#document.originalForm?.())
  }

  get earlierContents(): readonly string[] {
    return (this.#document.earlierForms?.() ?? []).flatMap((text) => contentOfText(text) ?? [])
  }
}

const NOTHING: readonly Plain[] = []

/** What the `schema` keeps of the record: the manifest, what no document carries, and the originals of documents that stay as another program stored them. */
function attachmentsBeside(
  run: RunDocuments,
  ready: readonly ReadyDocument[],
  held: readonly Held[],
): readonly Plain[] {
  const staying: { readonly document: ReadyDocument; readonly stored: Stored }[] = []
  for (const document of ready) {
    const stored = stayingOf(document, held)
    if (stored) staying.push({ document, stored })
  }
  const theirs = staying.filter(({ stored }) => stored.originals.text === undefined)
  const originals = run.manifest ? theirs.flatMap(({ document }) => document.original ?? []) : []
  const unsealed = staying
    .filter(({ stored }) => !stored.hasSeal)
    .map(({ document }) => documentName(document))
  return attachmentsOf(run, [...run.attached, ...originals], unsealed)
}

/** The document that is there, where it says what is to be stored: it stays as it is. The `schema` that keeps a manifest is written anew. */
function stayingOf(document: Ready, held: readonly Held[]): Stored | undefined {
  const { collection, entity } = document
  if (collection === COMMIT_MARK) return undefined
  const ofIt = held.filter((one) => one.collection.name === collection && one.entities.includes(entity))
  const { stored } = newest(ofIt.filter(({ indexed }) => indexed)) ?? newest(ofIt) ?? {}
  return stored && isAlike(document, stored) ? stored : undefined
}

/**
 * Whether another program's `schema` stands for the run: no manifest can be given to it, and documents that are added to it are artdaq's own, as
 * the others are.
 */
export const isForeign = (held: readonly Held[]): boolean => {
  const counts = newest(held.filter((one) => one.indexed && one.collection.name === COMMIT_MARK))
  return counts?.stored !== undefined && !hasTraces(counts.stored)
}

/** A text as artdaq stores it; undefined where it is none that artdaq takes: the Python original stored nothing then. */
const contentOfText = (text: string | undefined): string | undefined => {
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
