import type { FhiclDocument } from '../../../fhicl/document.ts'
import { lossOfExport } from '../../../fhicl/faithful-text.ts'
import { JsonObject } from '../../../fhicl/json/model.ts'

/**
 * What artdaq's export loses of a document in which a name stands several times: it prints the second value by the type of the first, shortens it, or
 * fails. Undefined where no name is repeated outside of tables, and where the values come out as they are.
 */
export const lossOfRepeatedNames = ({ data, metadata }: FhiclDocument): string | undefined => {
  const isRepeated = data.values.some(
    (part) => part instanceof JsonObject && new Set(part.keys).size < part.size,
  )
  if (!isRepeated) return undefined
  return lossOfExport(JsonObject.of(['document', JsonObject.of(['data', data], ['metadata', metadata])]))
}
