import { artdaqStamp } from './timestamp.ts'
import { JsonObject, type JsonArray, type JsonValue } from '../../../fhicl/json/model.ts'
import { writeJsonBytes } from '../../../fhicl/json/printer.ts'
import { originOf, type PrintedParts } from '../../../fhicl/to-json.ts'
import { freeingMemory } from '../../../platform/free-memory.ts'
import { toJson, type Plain } from './attachments.ts'
import type { IndexFacts } from '../../store.ts'
import { indexName } from './document-reader.ts'
import { BLANK_SEAL, sealed } from './seal.ts'

/** Everything a stored document says besides its FHiCL. */
export interface DocumentFacts {
  readonly oid: string
  readonly collection: string
  readonly entity: string
  /** `<run>/<config>`. */
  readonly configuration: string
  readonly version: string
  readonly run: string
  /** Epoch milliseconds, for every stamp of the document. */
  readonly time: number
  readonly rawdata: readonly string[]
  readonly attachments: readonly Plain[]
}

/**
 * A document's bytes as artdaq's `store` makes them, key for key, in pieces; without originals, byte for byte. One that keeps
 * an original gets a seal over all of its bytes.
 */
export const documentText = (parts: PrintedParts, { time, ...facts }: DocumentFacts): DocumentPieces =>
  documentTextAt(parts, { ...facts, stamp: artdaqStamp(time) })

/** The time as artdaq writes it. */
type Stamped = Omit<DocumentFacts, 'time'> & { readonly stamp: string }

/** The same with the time as it stands in a document. */
export const documentTextAt = (parts: PrintedParts, facts: Stamped): DocumentPieces =>
  facts.rawdata.length === 0
    ? unsealedText(parts, facts)
    : sealed(unsealedText(parts, { ...facts, rawdata: [BLANK_SEAL, ...facts.rawdata] }))

/** The same without a seal. */
export function unsealedText(
  { data, metadata, comments }: PrintedParts,
  { stamp, ...facts }: Stamped,
): DocumentPieces {
  const named = (name: string): JsonObject => JsonObject.of(['name', name], ['assigned', stamp])
  const event = (name: string, value: string): JsonObject =>
    JsonObject.of(['event', name], ['timestamp', stamp], ['value', named(value)])
  const updates = [
    event('addConfiguration', facts.configuration),
    event('setVersion', facts.version),
    event('setCollection', facts.collection),
    event('addEntity', facts.entity),
    event('addRun', facts.run),
  ]
  const rest = JsonObject.of(
    ['origin', originOf({ name: facts.entity, stamp }).plus('created', stamp).plus('rawdata', facts.rawdata)],
    ['version', facts.version],
    ['entities', [named(facts.entity)]],
    ['configurations', [named(facts.configuration)]],
    ['changelog', 'notprovided'],
    ['bookkeeping', bookkeeping(updates, stamp)],
    ['_id', JsonObject.of(['$oid', facts.oid])],
    ['collection', facts.collection],
    ['aliases', JsonObject.of(['active', EMPTY], ['history', EMPTY])],
    ['runs', [named(facts.run)]],
    ['attachments', EMPTY],
    ['configtype', 'notprovided'],
  )
  const printed = writeJsonBytes(rest)
  const at = printed.lastIndexOf(ATTACHMENTS) + ATTACHMENTS.length
  return new DocumentPieces(
    [DATA, data, METADATA, metadata, COMMENTS, comments, REST],
    printed.subarray(OPENING, at),
    facts.attachments,
    printed.subarray(at),
  )
}

/**
 * A document's bytes in pieces, which are the same each time that they are gone through. Attachments may be many times as large as all else, so
 * they are printed one by one, when their turn comes, and never held together.
 */
export class DocumentPieces implements Iterable<Buffer> {
  /** From the end of the FHiCL to the first attachment: it holds `origin.rawdata`, and the seal's place. */
  readonly middle: Buffer
  readonly #start: readonly Buffer[]
  readonly #attachments: readonly Plain[]
  readonly #end: Buffer

  constructor(start: readonly Buffer[], middle: Buffer, attachments: readonly Plain[], end: Buffer) {
    this.#start = start
    this.middle = middle
    this.#attachments = attachments
    this.#end = end
  }

  *[Symbol.iterator](): Iterator<Buffer> {
    yield* this.#start
    yield this.middle
    const free = freeingMemory()
    for (const [position, attachment] of this.#attachments.entries()) {
      if (position > 0) yield BETWEEN
      const printed = writeJsonBytes(toJson(attachment))
      yield printed
      free(printed.length)
    }
    yield this.#end
  }
}

// What stands round the parts that come printed, in the layout of `writeJsonBytes`.
const DATA = Buffer.from('{\n"document" : {\n"data" : ')
const METADATA = Buffer.from(',\n"metadata" : ')
const COMMENTS = Buffer.from(',\n"search" : [\n\n]\n},\n"comments" : ')
const REST = Buffer.from(',\n')
const OPENING = '{\n'.length
const ATTACHMENTS = Buffer.from('"attachments" : [\n')
const BETWEEN = Buffer.from(',\n')

/** What the index repeats of such a document: just what reading it back would find. */
export function factsOf({ oid, version, configuration, entity, run, time }: DocumentFacts): IndexFacts {
  return {
    oid,
    version: indexName(version),
    configurations: [{ name: indexName(configuration), assigned: indexName(artdaqStamp(time)) }],
    entities: [indexName(entity)],
    aliases: [],
    runs: [indexName(run)],
  }
}

const EMPTY: JsonArray = []

const bookkeeping = (updates: readonly JsonValue[], stamp: string): JsonObject =>
  JsonObject.of(['isdeleted', false], ['isreadonly', false], ['updates', updates], ['created', stamp])
