import { JsonObject } from './json/model.ts'
import { printFhicl, type RepeatedNames } from './printer.ts'

/**
 * The FHiCL that artdaq exports of a stored document, or of a conversion. Throws FHICL_INVALID where it cannot either. With `own` the values of
 * repeated names keep their types, which artdaq's export does not do.
 */
export const fhiclFromJson = (json: JsonObject, repeated: RepeatedNames = 'first'): string => {
  const document = json.get('document')
  const parts = document instanceof JsonObject ? document : JsonObject.EMPTY
  return printFhicl(parts.get('data'), parts.get('metadata'), repeated)
}
