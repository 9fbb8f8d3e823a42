import { JsonObject, type JsonArray, type JsonValue } from './json/model.ts'
import type { Protection, ScalarType } from './document.ts'

/** The comment above a value, and the one on its line. */
export interface Remarks {
  readonly comment: string
  readonly annotation: string
}

/** What a metadata node says besides its children. */
export interface Noted extends Remarks {
  readonly protection: Protection
}

/** A value, and what the metadata says of it. */
export interface Described {
  readonly value: JsonValue
  readonly node: JsonObject
}

const SCALAR = ['type', 'comment', 'annotation']
const SEQUENCE = [...SCALAR, 'children']
const TABLE = ['type', 'comment', 'children']

/**
 * Scalar nodes, used again where they would be equal, as they may be: objects never change. Most scalars have no
 * comment, and those on one line have the same.
 */
export class ScalarNodes {
  readonly #bare = new Map<ScalarType, JsonObject>()
  readonly #last = new Map<ScalarType, JsonObject>()

  of(type: ScalarType, { comment, annotation }: Remarks, protection: Protection): JsonObject {
    if (protection !== '') return guarded(SCALAR, [type, comment, annotation], protection)
    const known = comment === '' && annotation === '' ? this.#bare : this.#last
    const earlier = known.get(type)
    if (earlier?.values[1] === comment && earlier.values[2] === annotation) return earlier
    const node = new JsonObject(SCALAR, [type, comment, annotation])
    known.set(type, node)
    return node
  }
}

export const tableNode = (children: JsonObject, { comment, protection }: Noted): JsonObject =>
  guarded(TABLE, ['table', comment, children], protection)

export const sequenceNode = (elements: JsonArray, noted: Noted): JsonObject => {
  const children = new JsonObject(indexKeys(elements.length), elements)
  return guarded(SEQUENCE, ['sequence', noted.comment, noted.annotation, children], noted.protection)
}

export const rootNode = (name: string, children: JsonObject): JsonObject =>
  new JsonObject(TABLE, ['table', `#${name}`, children])

/** With the protection, where one is given, before the children, where there are any. */
const guarded = (keys: readonly string[], values: JsonArray, protection: Protection): JsonObject => {
  if (protection === '') return new JsonObject(keys, values)
  const at = keys.at(-1) === 'children' ? keys.length - 1 : keys.length
  return new JsonObject(keys.toSpliced(at, 0, 'protection'), values.toSpliced(at, 0, protection))
}

const SHORT: (readonly string[])[] = []

/** `0`, `1`, `2`: shared between the short sequences. */
const indexKeys = (length: number): readonly string[] => {
  const known = SHORT[length]
  if (known) return known
  const keys = Array.from({ length }, (_, index) => String(index))
  if (length <= 64) SHORT[length] = keys
  return keys
}
