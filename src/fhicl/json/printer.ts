import { JsonNumber, JsonObject, type JsonArray, type JsonValue } from './model.ts'

/**
 * The bytes of a document or an index, exactly as artdaq writes it (docs/FORMATS.md, FHiCL): a member a line, no
 * indentation, no newline at the end, UTF-8. The value may be nested as deep as the reader allows.
 */
export const writeJsonBytes = (value: JsonValue): Buffer => {
  const writer = new Writer(scratch)
  writer.value(value)
  return takeFrom(writer)
}

/** Prints texts and values in turn, as one piece of a document's file. `places`: where each value stands in it. */
export const writeBetween = (
  texts: readonly string[],
  values: readonly JsonValue[],
): { readonly bytes: Buffer; readonly places: readonly Place[] } => {
  const places: Place[] = []
  const writer = new Writer(scratch)
  for (const [position, value] of values.entries()) {
    writer.ascii(texts[position] ?? '')
    const start = writer.at
    writer.value(value)
    places.push({ start, end: writer.at })
  }
  return { bytes: takeFrom(writer), places }
}

const takeFrom = (writer: Writer): Buffer => {
  if (writer.buffer.length > LARGEST_SCRATCH) return writer.written // its own: a copy would be there twice
  scratch = writer.buffer
  return Buffer.from(writer.written)
}

/** What is written into, again and again: what is given out is a copy of the right size. */
let scratch: Buffer = Buffer.allocUnsafe(1 << 15)
const LARGEST_SCRATCH = 1 << 24

/** What `writeJsonBytes` writes, as text. */
export const writeJson = (value: JsonValue): string => writeJsonBytes(value).toString('utf8')

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** The letter behind the backslash, for the seven characters that artdaq escapes; 0 for the others. */
const ESCAPES = new Uint8Array(128)
const ESCAPED = '"\\\b\f\n\r\t'
const LETTERS = '"\\bfnrt'
for (let at = 0; at < ESCAPED.length; at++) ESCAPES[ESCAPED.charCodeAt(at)] = LETTERS.charCodeAt(at)

/** The inside of a string: the seven escapes, everything else as it is. */
export const escapeText = (text: string): string =>
  text.replace(/["\\\b\f\n\r\t]/g, (found) => `\\${String.fromCharCode(ESCAPES[found.charCodeAt(0)] ?? 0)}`)

/** Small objects that end in a text come again and again: the nodes of scalars, which a document shares (fhicl/nodes.ts). */
const comesAgain = ({ keys, values }: JsonObject): boolean =>
  keys.length <= 4 && typeof values[keys.length - 1] === 'string'

/** Where a value was written. An object that comes again is copied from there. */
export interface Place {
  readonly start: number
  readonly end: number
}

/** Writes characters one by one into a buffer that grows: several times as fast as putting strings together. */
class Writer {
  #bytes: Buffer
  #at = 0
  readonly #written = new Map<JsonObject, Place>()

  constructor(buffer: Buffer) {
    this.#bytes = buffer
  }

  /** The buffer that was given, or the larger one that took its place. */
  get buffer(): Buffer {
    return this.#bytes
  }

  /** How much of it was written. */
  get at(): number {
    return this.#at
  }

  /** As much of it as was written. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  value(value: JsonValue): void {
    if (typeof value === 'string') this.#string(value)
    else if (value instanceof JsonObject) this.#object(value)
    else if (value instanceof JsonNumber) this.ascii(value.text)
    else if (typeof value === 'boolean') this.ascii(value ? 'true' : 'false')
    else this.#array(value)
  }

  #object(object: JsonObject): void {
    const known = comesAgain(object) ? this.#written.get(object) : undefined
    if (known) {
      this.#reserve(known.end - known.start)
      this.#bytes.copyWithin(this.#at, known.start, known.end)
      this.#at += known.end - known.start
      return
    }
    const start = this.#at
    this.#members(object)
    if (comesAgain(object)) this.#written.set(object, { start, end: this.#at })
  }

  #members({ keys, values }: JsonObject): void {
    this.ascii('{\n')
    for (let position = 0; position < keys.length; position++) {
      const value = values[position]
      if (value === undefined) continue
      if (position > 0) this.ascii(',\n')
      this.#string(keys[position] ?? '')
      this.ascii(' : ')
      this.value(value)
    }
    this.ascii('\n}')
  }

  #array(values: JsonArray): void {
    this.ascii('[\n')
    for (let position = 0; position < values.length; position++) {
      const value = values[position]
      if (value === undefined) continue
      if (position > 0) this.ascii(',\n')
      this.value(value)
    }
    this.ascii('\n]')
  }

  /** A text that is ASCII, as it is. */
  ascii(text: string): void {
    this.#reserve(text.length)
    const bytes = this.#bytes
    let at = this.#at
    for (let position = 0; position < text.length; position++) bytes[at++] = text.charCodeAt(position)
    this.#at = at
  }

  #string(text: string): void {
    // Each character takes two bytes at most, or the fallback below is taken.
    this.#reserve(2 * text.length + 2)
    const bytes = this.#bytes
    let at = this.#at
    bytes[at++] = QUOTE
    for (let position = 0; position < text.length; position++) {
      const code = text.charCodeAt(position)
      const escape = ESCAPES[code]
      if (escape === undefined) {
        this.#foreignString(text)
        return
      }
      if (escape !== 0) bytes[at++] = BACKSLASH
      bytes[at++] = escape === 0 ? code : escape
    }
    bytes[at++] = QUOTE
    this.#at = at
  }

  /** A string that is not ASCII. */
  #foreignString(text: string): void {
    const quoted = `"${escapeText(text)}"`
    this.#reserve(3 * quoted.length)
    this.#at += this.#bytes.write(quoted, this.#at, 'utf8')
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#at + size))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}
