import { decodeAscii, emptyTable } from '../../../fhicl/accepted-text.ts'
import { parseFhicl } from '../../../fhicl/parser.ts'
import { printedParts, type PrintedParts } from '../../../fhicl/to-json.ts'
import { tryFhicl } from '../../../fhicl/try-parse.ts'
import { isArray, JsonObject, type JsonValue } from '../../../fhicl/json/model.ts'
import { ArchiverError } from '../../../errors.ts'
import { type Stored } from './document-reader.ts'
import { shownName } from './index-names.ts'
import { documentTextAt } from './document-printer.ts'
import { sealOf } from './seal.ts'

/** What a document says besides its FHiCL, its originals and its attachments. */
interface Names {
  readonly entity: string
  readonly configuration: string
  readonly version: string
  readonly run: string
  readonly stamp: string
}

/** The parts of a document that a text gives: its FHiCL, or an empty table where artdaq does not take it. */
export const partsOf = (text: Buffer, entity: string): PrintedParts => {
  const fhicl = decodeAscii(text)
  return printedParts((fhicl === '' ? undefined : tryFhicl(fhicl)) ?? parseFhicl(emptyTable(entity)))
}

/**
 * The bytes of a damaged document as they were stored, made again from the original that it keeps. Undefined unless the seal that stands in it is
 * the seal of just these bytes, which proves them: then nothing but the damage changes.
 */
export const mended = (stored: Stored, collection: string): Buffer | undefined => {
  try {
    const seal = sealOf(stored.seal ?? '')
    const { originals, rawdata, attachments } = stored
    if (seal === undefined || originals.text === undefined) return undefined
    for (const names of candidates(stored)) {
      const about = { ...names, oid: shownName(stored.facts.oid), collection, rawdata, attachments }
      const bytes = Buffer.concat([...documentTextAt(partsOf(originals.text, names.entity), about)])
      if (bytes.includes(seal)) return bytes
    }
    return undefined
  } catch (error) {
    if (error instanceof ArchiverError) return undefined // what it keeps cannot be read either
    throw error
  }
}

/** A document says each name twice at least: where the two differ, either may be the one that was stored. */
function* candidates(stored: Stored): Generator<Names> {
  const { json } = stored
  const updates = at(json, 'bookkeeping', 'updates')
  const added = (position: number): string =>
    said(isArray(updates) ? updates[position] : undefined, 'value', 'name')
  const both = (one: string, other: string): readonly string[] => [...new Set([one, other])]
  const first = (key: string): JsonValue | undefined => {
    const list = json.get(key)
    return isArray(list) ? list[0] : undefined
  }
  const configurations = both(said(first('configurations'), 'name'), added(0))
  for (const stamp of both(said(json, 'origin', 'created'), said(json, 'bookkeeping', 'created')))
    for (const entity of both(said(first('entities'), 'name'), said(json, 'origin', 'name')))
      for (const version of both(said(json, 'version'), added(1)))
        for (const run of both(said(first('runs'), 'name'), added(4)))
          for (const configuration of configurations) yield { entity, configuration, version, run, stamp }
}

const at = (value: JsonValue | undefined, ...keys: readonly string[]): JsonValue | undefined => {
  let found = value
  for (const key of keys) found = found instanceof JsonObject ? found.get(key) : undefined
  return found
}

const said = (value: JsonValue | undefined, ...keys: readonly string[]): string => {
  const found = at(value, ...keys)
  return typeof found === 'string' ? found : ''
}
