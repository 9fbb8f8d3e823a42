import { mapRecord, type MappedRecord } from './map/map-record.ts'
import type { Mapping } from './mapping/model.ts'
import { mappingSelection } from './mapping/selection.ts'
import { readPayload } from './payload/read-payload.ts'
import type { Selection } from './payload/reach.ts'

export interface PayloadOptions {
  readonly sourceKey: string | undefined
  /** Epoch milliseconds at which the item began. */
  readonly now: number
  readonly strict: boolean
}

const selections = new WeakMap<Mapping, Selection>()

/** Reads a payload and maps it. Throws an ItemError of stage `parse`, `key`, `validate` or `map`. */
export const mapPayload = (
  payload: string | Uint8Array,
  mapping: Mapping,
  options: PayloadOptions,
): MappedRecord => {
  const selection = selections.get(mapping) ?? mappingSelection(mapping)
  selections.set(mapping, selection)
  const { source, limits, naming } = mapping
  const root = readPayload(payload, { format: source.format, limits, naming, selection })
  const { sourceKey, now, strict } = options
  const [seconds, milliseconds] = [Math.floor(now / 1000) * 1000, now % 1000]
  const fraction = String(Math.floor(milliseconds)).padStart(3, '0').replace(/0+$/, '')
  return mapRecord(root, mapping, { sourceKey, strict, now: { seconds, fraction } })
}
