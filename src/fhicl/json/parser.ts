import { ArchiverError } from '../../errors.ts'
import { JsonNumber, JsonObject, type JsonArray, type JsonValue } from './model.ts'

/** How deep objects and arrays may stand in one another: twice what FHiCL allows, and some more for the document round it. */
export const DEEPEST_JSON = 2100

/** JSON that artdaq cannot read either: where, and what is wrong. Line and column count from 1. */
export class JsonError extends ArchiverError {
  readonly line: number
  readonly column: number
  constructor(reason: string, text: string, position: number) {
    const before = text.slice(0, position).split('\n')
    const line = before.length
    const column = (before.at(-1) ?? '').length + 1
    super('STORE_CORRUPT', `line ${line}, column ${column}: ${reason}`)
    this.line = line
    this.column = column
  }
}

/**
 * Reads the object that a text begins with, as artdaq's own reader does: white space is free, what follows the closing
 * brace is ignored, `null` and numbers such as `1e10` are errors. Linear. Throws `JsonError`.
 */
export const readJson = (text: string): JsonObject => new Reader(text).document()

/** Reads one value of any kind, which the whole text is. Throws `JsonError`. */
export const readJsonValue = (text: string): JsonValue => new Reader(text).only()

class Reader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): JsonObject {
    if (this.#next() !== '{') throw this.#fail('no object')
    return this.#object()
  }

  only(): JsonValue {
    const value = this.#value()
    if (this.#next() !== '') throw this.#fail(`${this.#seen()} behind the value`)
    return value
  }

  #value(): JsonValue {
    switch (this.#next()) {
      case '"':
        return this.#string()
      case '{':
        return this.#object()
      case '[':
        return this.#array()
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      default:
        return this.#number()
    }
  }

  #object(): JsonObject {
    this.#enter()
    const keys: string[] = []
    const values: JsonValue[] = []
    if (this.#next() === '}') return this.#leave(new JsonObject(keys, values))
    while (true) {
      if (this.#next() !== '"') throw this.#fail('no key')
      keys.push(this.#string())
      if (this.#next() !== ':') throw this.#fail('no colon behind the key')
      this.#at++
      values.push(this.#value())
      const next = this.#next()
      if (next === '}') return this.#leave(new JsonObject(keys, values))
      if (next !== ',') throw this.#fail('no comma and no } behind a member')
      this.#at++
    }
  }

  #array(): JsonArray {
    this.#enter()
    const values: JsonValue[] = []
    if (this.#next() === ']') return this.#leave(values)
    while (true) {
      values.push(this.#value())
      const next = this.#next()
      if (next === ']') return this.#leave(values)
      if (next !== ',') throw this.#fail('no comma and no ] behind an element')
      this.#at++
    }
  }

  #enter(): void {
    if (++this.#depth > DEEPEST_JSON) throw this.#fail(`more than ${DEEPEST_JSON} objects in one another`)
    this.#at++
  }

  #leave<Whole>(whole: Whole): Whole {
    this.#depth--
    this.#at++
    return whole
  }

  #string(): string {
    const text = this.#text
    const start = this.#at + 1
    let end = text.indexOf('"', start)
    // A quote behind an odd number of backslashes belongs to the string.
    while (end > start && isEscaped(text, start, end)) end = text.indexOf('"', end + 1)
    if (end < 0) throw this.#fail('a string that is never closed')
    this.#at = end + 1
    return unescapeText(text.slice(start, end))
  }

  #number(): JsonNumber {
    NUMBER.lastIndex = this.#at
    const found = NUMBER.exec(this.#text)?.[0]
    if (found === undefined) throw this.#fail(`${this.#seen()} where a value should be`)
    this.#at += found.length
    return new JsonNumber(found)
  }

  #word<Value>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) throw this.#fail(`${this.#seen()} where a value should be`)
    this.#at += word.length
    return value
  }

  /** The next character that is no white space; empty at the end. */
  #next(): string {
    const text = this.#text
    let code = text.charCodeAt(this.#at)
    while (code === 0x20 || (code >= 0x09 && code <= 0x0d)) code = text.charCodeAt(++this.#at)
    return text[this.#at] ?? ''
  }

  #seen(): string {
    return this.#at < this.#text.length
      ? `"${/^\w+|^[^]/.exec(this.#text.slice(this.#at, this.#at + 20))?.[0] ?? ''}"`
      : 'the end of the text'
  }

  #fail(reason: string): JsonError {
    return new JsonError(reason, this.#text, this.#at)
  }
}

/** Integers, or decimals with a point; only a decimal may have an exponent. */
const NUMBER = /[-+]?(?:\d+\.\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|\d+)/y

const isEscaped = (text: string, start: number, quote: number): boolean => {
  let at = quote
  while (at > start && text[at - 1] === '\\') at--
  return (quote - at) % 2 === 1
}

/** What stands behind the backslash. */
const MEANINGS: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** A text that is longer is given to JSON.parse, where it means the same there: but for `\u` and `\/`, what that takes is what artdaq takes. */
const LONG = 100

const parseString = (text: string): string | undefined => {
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    return undefined // escapes that only artdaq knows, line ends as they are
  }
}

/** Piece by piece rather than by a pattern: a kept original is one string with an escape for each of its lines. */
const unescapeText = (text: string): string => {
  let escape = text.indexOf('\\')
  if (escape < 0) return text
  if (text.length > LONG && !text.includes('\\u') && !text.includes('\\/')) {
    const parsed = parseString(text)
    if (parsed !== undefined) return parsed
  }
  let plain = ''
  let from = 0
  while (escape >= 0) {
    const meaning = MEANINGS[text[escape + 1] ?? '']
    plain += meaning === undefined ? text.slice(from, escape + 1) : text.slice(from, escape) + meaning
    from = escape + (meaning === undefined ? 1 : 2)
    escape = text.indexOf('\\', from)
  }
  return plain + text.slice(from)
}
