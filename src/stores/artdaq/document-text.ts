import { artdaqStamp } from '../../core/artdaq-json/stamp.ts'
import { JsonObject, type JsonArray, type JsonValue } from '../../core/artdaq-json/model.ts'
import { originOf, type DocumentParts } from '../../core/fhicl/to-json.ts'
import { toJson, type Plain } from './attachments.ts'

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

/** A document as artdaq's `store` makes it (spec section 2.2), key for key; without originals, byte for byte. */
export function storedDocument(
  { data, metadata, comments }: DocumentParts,
  facts: DocumentFacts,
): JsonObject {
  const stamp = artdaqStamp(facts.time)
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
  return JsonObject.of(
    ['document', JsonObject.of(['data', data], ['metadata', metadata], ['search', EMPTY])],
    ['comments', comments],
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
    ['attachments', facts.attachments.map(toJson)],
    ['configtype', 'notprovided'],
  )
}

const EMPTY: JsonArray = []

const bookkeeping = (updates: readonly JsonValue[], stamp: string): JsonObject =>
  JsonObject.of(['isdeleted', false], ['isreadonly', false], ['updates', updates], ['created', stamp])
