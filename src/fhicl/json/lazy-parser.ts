import type { JsonValue } from './model.ts'
import { readJsonValue } from './parser.ts'

/** Where a value stands in the bytes: from its first byte up to, not including, the one behind its last. */
export interface Extent {
  readonly start: number
  readonly end: number
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const ARRAY = 0x5b
const ARRAY_END = 0x5d
const OBJECT = 0x7b
const OBJECT_END = 0x7d

/**
 * The object that a file begins with, of which only those members are read that are asked for: the others are passed over
 * by their brackets and quotes alone. Where that cannot be done, and where a block of the file is zeros, `outlineOf` gives
 * undefined and `readJson` says what is wrong; what is wrong inside a member shows when that member is read.
 */
export class JsonOutline {
  readonly #bytes: Buffer
  readonly #extents: ReadonlyMap<string, Extent>

  constructor(bytes: Buffer, extents: ReadonlyMap<string, Extent>) {
    this.#bytes = bytes
    this.#extents = extents
  }

  /** The value of the first member with this key, read anew at each call. Throws `JsonError`, its place counted from the value's start. */
  get(key: string): JsonValue | undefined {
    const extent = this.#extents.get(key)
    return extent && readJsonValue(this.#bytes.toString('utf8', extent.start, extent.end))
  }

  /** The values of an array, each read when its turn comes; nothing where the first member with this key is no array. Throws as `get` does. */
  *items(key: string): Generator<JsonValue> {
    const extent = this.#extents.get(key)
    const bytes = this.#bytes
    if (!extent || bytes[extent.start] !== ARRAY) return
    const last = extent.end - 1
    let at = skipBlanks(bytes, extent.start + 1)
    while (at < last) {
      const end = skipValue(bytes, at)
      const next = end < 0 ? -1 : skipBlanks(bytes, end)
      const isSound = next === last || (bytes[next] === COMMA && skipBlanks(bytes, next + 1) < last)
      // Read as a whole, which says what is wrong with it.
      if (!isSound) readJsonValue(bytes.toString('utf8', extent.start, extent.end))
      yield readJsonValue(bytes.toString('utf8', at, end))
      at = next === last ? last : skipBlanks(bytes, next + 1)
    }
  }

  /** The bytes with another text in a member's place; undefined where there is no such member. */
  bytesWith(key: string, text: string): Buffer | undefined {
    const extent = this.#extents.get(key)
    if (!extent) return undefined
    return Buffer.concat([
      this.#bytes.subarray(0, extent.start),
      Buffer.from(text),
      this.#bytes.subarray(extent.end),
    ])
  }

  /** Whether the first member with this key is an object. */
  holdsObject(key: string): boolean {
    const extent = this.#extents.get(key)
    return extent !== undefined && this.#bytes[extent.start] === OBJECT
  }
}

/** Finds the members of an object. Linear, a look at each byte. */
export const outlineOf = (bytes: Buffer): JsonOutline | undefined => {
  const start = skipBlanks(bytes, 0)
  if (bytes[start] !== OBJECT) return undefined
  const first = skipBlanks(bytes, start + 1)
  return bytes[first] === OBJECT_END ? new JsonOutline(bytes, new Map()) : membersFrom(bytes, first)
}

/** The same from a member on, of bytes that are known to be sound: the members before it are not there. */
export const membersFrom = (bytes: Buffer, start: number): JsonOutline | undefined => {
  const extents = new Map<string, Extent>()
  let at = start
  while (true) {
    const keyEnd = bytes[at] === QUOTE ? skipString(bytes, at) : -1
    if (keyEnd < 0) return undefined
    const key = bytes.toString('latin1', at + 1, keyEnd - 1)
    at = skipBlanks(bytes, keyEnd)
    if (bytes[at] !== COLON) return undefined
    const from = skipBlanks(bytes, at + 1)
    const end = skipValue(bytes, from)
    if (end < 0) return undefined
    if (!extents.has(key)) extents.set(key, { start: from, end })
    at = skipBlanks(bytes, end)
    if (bytes[at] === OBJECT_END) return new JsonOutline(bytes, extents)
    if (bytes[at] !== COMMA) return undefined
    at = skipBlanks(bytes, at + 1)
  }
}

const skipBlanks = (bytes: Buffer, from: number): number => {
  let at = from
  for (let byte = bytes[at]; byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);)
    byte = bytes[++at]
  return at
}

/** The end of the value that starts here; -1 where it has none. */
const skipValue = (bytes: Buffer, start: number): number => {
  const first = bytes[start]
  if (first === QUOTE) return skipString(bytes, start)
  if (first === OBJECT || first === ARRAY) return skipNested(bytes, start)
  let at = start
  for (let byte = first; byte !== undefined && byte > 0x20 && byte !== COMMA && byte !== OBJECT_END;)
    byte = bytes[++at]
  return at > start ? at : -1
}

const skipNested = (bytes: Buffer, start: number): number => {
  let depth = 0
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) {
      at = skipString(bytes, at) - 1
      if (at < 0) return -1
    } else if (byte === OBJECT || byte === ARRAY) depth++
    else if ((byte === OBJECT_END || byte === ARRAY_END) && --depth === 0) return at + 1
    else if (byte === 0) return -1
  }
  return -1
}

const skipString = (bytes: Buffer, start: number): number => {
  const near = Math.min(bytes.length, start + NEAR)
  for (let at = start + 1; at < near; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    if (byte === BACKSLASH) at++
    else if (byte === 0) return -1
  }
  return skipLongString(bytes, start)
}

/** Names and values are shorter: to call for a search would take longer than to look at each byte. */
const NEAR = 64

const skipLongString = (bytes: Buffer, start: number): number => {
  for (let end = bytes.indexOf(QUOTE, start + 1); end >= 0; end = bytes.indexOf(QUOTE, end + 1)) {
    let before = end
    while (bytes[before - 1] === BACKSLASH) before--
    // A quote behind an odd number of backslashes belongs to the string.
    if ((end - before) % 2 === 1) continue
    const zero = bytes.subarray(start, end).indexOf(0)
    return zero < 0 ? end + 1 : -1
  }
  return -1
}
