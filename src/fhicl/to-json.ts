import { JsonNumber, JsonObject, type JsonArray } from './json/model.ts'
import { writeBetween, writeJson, type Place } from './json/printer.ts'
import type { Comment, FhiclDocument } from './document.ts'

/** The parts of a stored document that come from the text; the store puts the others round them. */
export interface DocumentParts {
  /** `document.data` */
  readonly data: JsonObject
  /** `document.metadata` */
  readonly metadata: JsonObject
  /** `comments`, in line order; one entry for line 0 where there is none. */
  readonly comments: JsonArray
}

/** What a text becomes in a stored document (docs/FORMATS.md, FHiCL). */
export const documentParts = ({ data, metadata, comments }: FhiclDocument): DocumentParts => ({
  data,
  metadata,
  comments: (comments.length === 0 ? NO_COMMENTS : comments).map(commentEntry),
})

/** The same, printed as it stands in the document's file: a tenth of the memory, and none of it for the garbage collector to walk. */
export interface PrintedParts {
  /** The document's file from its beginning to the end of `comments`. */
  readonly beginning: Buffer
  /** `document.data`: a part of `beginning`, as the next. */
  readonly data: Buffer
  /** `document.metadata` */
  readonly metadata: Buffer
  /** `comments` */
  readonly comments: Buffer
}

export const printedParts = (document: FhiclDocument): PrintedParts => {
  const { data, metadata, comments } = documentParts(document)
  const { bytes, places } = writeBetween(
    ['{\n"document" : {\n"data" : ', ',\n"metadata" : ', ',\n"search" : [\n\n]\n},\n"comments" : '],
    [data, metadata, comments],
  )
  const [dataAt = NOWHERE, metadataAt = NOWHERE, commentsAt = NOWHERE] = places
  const part = ({ start, end }: Place): Buffer => bytes.subarray(start, end)
  return {
    beginning: bytes,
    data: part(dataAt),
    metadata: part(metadataAt),
    comments: part(commentsAt),
  }
}
const NOWHERE: Place = { start: 0, end: 0 }

export interface Origin {
  /** The document's name: `notprovided`, or the entity it is stored under. */
  readonly name: string
  /** When it was parsed, as `artdaqStamp` writes it. */
  readonly stamp: string
}

/** What artdaq's own conversion gives for a text, before anything is stored. */
export const fhiclToJson = (document: FhiclDocument, origin: Origin): JsonObject => {
  const { data, metadata, comments } = documentParts(document)
  return JsonObject.of(
    ['document', JsonObject.of(['data', data], ['metadata', metadata])],
    ['comments', comments],
    ['origin', originOf(origin)],
    ['version', 'notprovided'],
    ['entities', []],
    ['configurations', []],
  )
}

/** The text of `fhiclToJson`, without a newline at the end. */
export const fhiclToJsonText = (document: FhiclDocument, origin: Origin): string =>
  writeJson(fhiclToJson(document, origin))

/** `origin` as parsing gives it; storing adds `created` and `rawdata`. */
export const originOf = ({ name, stamp }: Origin): JsonObject =>
  JsonObject.of(['format', 'fhicl'], ['name', name], ['source', 'fhicl_to_json'], ['timestamp', stamp])

const NO_COMMENTS: readonly Comment[] = [{ line: 0, text: 'No comments' }]

const commentEntry = ({ line, text }: Comment): JsonObject =>
  new JsonObject(['linenum', 'value'], [new JsonNumber(line), text])
