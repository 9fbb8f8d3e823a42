import { nameFrom } from '../../../fhicl/accepted-text.ts'
import { closingQuote } from '../../../fhicl/scalars.ts'

/** Pieces of FHiCL as the converters write them: what the original writes where that is FHiCL, and FHiCL where it is not. */

/** Whether artdaq takes a text as a FHiCL document. */
export type IsFhicl = (text: string) => boolean

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/
const HEX = /^0[xX][0-9A-Fa-f]+$/
// What stands between double quotes as it is: nearly every text.
const PLAIN = /^[\t !#-[\]-~]*$/
const WORD = /^[A-Za-z0-9_]+$/
// A backslash that begins no known escape, or one before a quote, whose own escape it would undo. A repeated group over the whole text
// would end the program's stack at some 10 MB.
const NO_ESCAPE = /\\{3}|(?<!\\)\\(?:[nt']"|(?![\\nt']))|\\\\(?:"|$)/

/**
 * The original's idea of a number: digits, with one dot at most. A lone dot is a text to FHiCL, and stands as it is too. No digit can be matched in two
 * ways, which would take quadratic time.
 */
export const isNumeric = (text: string): boolean => /^(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]*)$/.test(text)

// What shows that a text is not names joined by dots. The other way round, a repeated group over the whole text would end the program's stack.
const UNQUALIFIED = /^(?![A-Za-z_])|[^A-Za-z0-9_.]|\.(?![A-Za-z_])/

/** Whether a text can stand as a value without quotes and means itself there. */
export const isBare = (text: string): boolean => NUMBER.test(text) || HEX.test(text) || WORD.test(text)

/**
 * A text between quotes, as the original writes it where that is FHiCL: where each backslash happens to begin an escape that FHiCL knows,
 * it stays as it is. Else as `escaped`.
 */
export const quoted = (text: string): string => {
  if (PLAIN.test(text)) return `"${text}"`
  const shown = printable(text)
  return NO_ESCAPE.test(shown) ? escaped(shown) : `"${shown.replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}

/**
 * A text between quotes, each backslash, double quote and line end escaped. FHiCL knows no other control characters but tabs, so those
 * become `.`. Between double quotes a backslash at the end would hide the closing quote, escaped or not: single quotes, which know no
 * escapes, stand there; a text that holds such a quote, too, gets a blank at its end.
 */
export const escaped = (text: string): string => {
  const shown = printable(text)
  const endsInBackslash = shown.endsWith('\\')
  if (endsInBackslash && !shown.includes("'")) return `'${shown}'`
  return `"${shown.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}${endsInBackslash ? ' ' : ''}"`
}

const printable = (text: string): string => text.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '.')

/** A list of texts, each between quotes. */
export const list = (items: readonly string[]): string => `[${items.map(quoted).join(', ')}]`

/** A configuration's name: always a text, also when it is made of digits. */
export const nameValue = (name: string): string => (isQuotedText(name) ? name : quoted(name))

/**
 * A value as the original writes it: numbers, texts in quotes and lists in brackets as they are, all else between quotes.
 * What is in quotes or brackets stays only when it is one FHiCL value; otherwise it is a text like any other.
 */
export const value = (text: string, isFhicl: IsFhicl): string => {
  if (isNumeric(text)) return text
  if (text.startsWith('"') && text.endsWith('"')) return isQuotedText(text) ? text : quoted(text)
  const isList = text.startsWith('[') && text.endsWith(']') && isOneValue(text) && isFhicl(`x: ${text}`)
  return isList ? text : quoted(text)
}

// A backslash is a backslash in the files that are converted, so only a text without any can stand as it is.
const isQuotedText = (text: string): boolean =>
  /^"[^"\\\x00-\x08\x0b-\x1f\x7f]*"$/.test(text) && text.length > 1

/** Whether the bracket that a text begins with is closed by the one it ends with, and not before: `[1] y: [2]` is two. */
const isOneValue = (text: string): boolean => {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '"' || character === "'") {
      at = character === '"' ? closingQuote(text, at + 1) : text.indexOf("'", at + 1)
      if (at < 0) return false
    } else if (character === '[' || character === '{') depth++
    else if (character === ']' || character === '}') depth--
    if (depth === 0 && at < text.length - 1) return false
  }
  return depth === 0
}

/**
 * Makes the keys of one document or table: FHiCL names, of which those that had to be changed differ from all before them. A name that stands as it is may
 * come twice, as in what the original writes: outside of tables artdaq keeps both values.
 */
export class Keys {
  readonly #taken = new Set<string>()
  /** The number that a name was given last, so that the next search goes on there. */
  readonly #last = new Map<string, number>()

  /** A key as it stands where it is a FHiCL name; else with `_` for what cannot be in one, and a number when that is taken. */
  of(text: string): string {
    const key = !UNQUALIFIED.test(text) ? text : this.free(nameFrom(text))
    this.#taken.add(key)
    return key
  }

  /** A key inside a table, where a second value would replace the first: a plain name that nothing else there has. */
  inTable(text: string): string {
    return this.free(NAME.test(text) ? text : nameFrom(text))
  }

  /** The name, with a number when it is taken. */
  free(name: string): string {
    let key = name
    let number = this.#last.get(name) ?? 1
    while (this.#taken.has(key)) key = `${name}_${++number}`
    this.#last.set(name, number)
    this.#taken.add(key)
    return key
  }
}
