import type { JsonValue } from '../../../fhicl/json/model.ts'

/** The members of a document, of which only some are needed most of the time. */
export interface Members {
  get(key: string): JsonValue | undefined
  /** The values of an array, one after the other. */
  items?(key: string): Iterable<JsonValue>
  bytesWith?(key: string, text: string): Buffer | undefined
}
