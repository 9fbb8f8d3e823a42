/**
 * JSON as artdaq keeps it: members in order, equal keys beside one another, numbers as they were written. Strings are
 * decoded; an escape that artdaq does not know (`\u0041`) is a backslash and what follows, as it is for artdaq.
 */
export type JsonValue = string | boolean | JsonNumber | JsonArray | JsonObject

export type JsonArray = readonly JsonValue[]

/** A number by its digits, so that neither 64-bit integers nor decimals lose any. */
export class JsonNumber {
  readonly text: string
  constructor(value: string | number) {
    this.text = String(value)
  }
  get isInteger(): boolean {
    return !this.text.includes('.')
  }
  /** The nearest double: exact for integers up to 2^53. */
  toNumber(): number {
    return Number(this.text)
  }
}

export type Member = readonly [key: string, value: JsonValue]

/** Beyond this many members a look-up by key builds a map. */
const FEW = 8

/** Kept beside the objects, as nearly all of them are small and there are very many. */
const INDEXES = new WeakMap<JsonObject, ReadonlyMap<string, JsonValue>>()

/** An object whose members keep their order and may share a key. Immutable. */
export class JsonObject {
  static readonly EMPTY = new JsonObject([], [])
  readonly keys: readonly string[]
  readonly values: JsonArray

  /** Takes both lists over; neither may change afterwards. */
  constructor(keys: readonly string[], values: JsonArray) {
    this.keys = keys
    this.values = values
  }

  static of(...members: readonly Member[]): JsonObject {
    return JsonObject.from(members)
  }

  static from(members: Iterable<Member>): JsonObject {
    const keys: string[] = []
    const values: JsonValue[] = []
    for (const [key, value] of members) {
      keys.push(key)
      values.push(value)
    }
    return new JsonObject(keys, values)
  }

  get size(): number {
    return this.keys.length
  }

  /** The value of the first member with this key. */
  get(key: string): JsonValue | undefined {
    if (this.keys.length <= FEW) {
      const position = this.keys.indexOf(key)
      return position < 0 ? undefined : this.values[position]
    }
    let index = INDEXES.get(this)
    if (index === undefined) {
      // Built from the last to the first, so that the first of equal keys stays.
      index = new Map([...this.members()].reverse())
      INDEXES.set(this, index)
    }
    return index.get(key)
  }

  /** In order, equal keys included. */
  *members(): Generator<Member> {
    for (const [position, key] of this.keys.entries()) {
      const value = this.values[position]
      if (value !== undefined) yield [key, value]
    }
  }

  /** With a member more at the end. */
  plus(key: string, value: JsonValue): JsonObject {
    return new JsonObject([...this.keys, key], [...this.values, value])
  }

  /** With another value for the first member of this key, or with a member more where there is none. */
  with(key: string, value: JsonValue): JsonObject {
    const position = this.keys.indexOf(key)
    return position < 0 ? this.plus(key, value) : new JsonObject(this.keys, this.values.with(position, value))
  }
}

export const isArray = (value: JsonValue | undefined): value is JsonArray => Array.isArray(value)
