import { fhiclFromJson } from '../../../fhicl/from-json.ts'
import { documentParts } from '../../../fhicl/to-json.ts'
import { parseFhicl } from '../../../fhicl/parser.ts'
import { JsonObject } from '../../../fhicl/json/model.ts'
import { ArchiverError } from '../../../errors.ts'
import type { Stored } from './document-reader.ts'

/** A document as artdaq's own export prints it. Throws STORE_CORRUPT, naming the file, where artdaq could not either. */
export function canonicalText(stored: Stored): string {
  try {
    return fhiclFromJson(stored.json)
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    throw new ArchiverError('STORE_CORRUPT', `${stored.path} cannot be exported: ${error.message}`, {
      cause: error,
    })
  }
}

/** What artdaq's export gives of a text that was stored. Throws FHICL_INVALID. */
export function canonicalOf(fhicl: string): string {
  const { data, metadata } = documentParts(parseFhicl(fhicl))
  return fhiclFromJson(JsonObject.of(['document', JsonObject.of(['data', data], ['metadata', metadata])]))
}
