import { fhiclFromJson } from '../../../fhicl/from-json.ts'
import { documentParts } from '../../../fhicl/to-json.ts'
import { parseFhicl } from '../../../fhicl/parser.ts'
import { JsonObject } from '../../../fhicl/json/model.ts'
import { ArchiverError } from '../../../errors.ts'
import type { Stored } from './document-reader.ts'

/**
 * A document as artdaq's own export prints it. Where a name is repeated with values of two kinds, artdaq cannot, and each value is printed by its own
 * type. Throws STORE_CORRUPT, naming the file, of a document that cannot be printed so either.
 */
export function canonicalText(stored: Stored): string {
  try {
    return printed(stored.json)
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    throw new ArchiverError('STORE_CORRUPT', `${stored.path} cannot be exported: ${error.message}`, {
      cause: error,
    })
  }
}

/** The same of a text that was stored. Throws FHICL_INVALID where artdaq does not take the text. */
export function canonicalOf(fhicl: string): string {
  const { data, metadata } = documentParts(parseFhicl(fhicl))
  return printed(JsonObject.of(['document', JsonObject.of(['data', data], ['metadata', metadata])]))
}

const printed = (json: JsonObject): string => {
  try {
    return fhiclFromJson(json)
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    return fhiclFromJson(json, 'own')
  }
}
