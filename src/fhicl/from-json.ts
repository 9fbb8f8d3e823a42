import { JsonObject } from './json/model.ts'
import { printFhicl } from './printer.ts'

/** The FHiCL that artdaq exports of a stored document, or of a conversion. Throws FHICL_INVALID where it cannot either. */
export const fhiclFromJson = (json: JsonObject): string => {
  const document = json.get('document')
  const parts = document instanceof JsonObject ? document : JsonObject.EMPTY
  return printFhicl(parts.get('data'), parts.get('metadata'))
}
