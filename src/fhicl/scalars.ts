import {
  classOf,
  DECIMAL,
  DIGIT,
  ENDS_NAME,
  ENDS_TOKEN,
  ENDS_WORD,
  LOOSE,
  skipClass,
  UNPRINTABLE,
  WORD,
} from './characters.ts'
import type { ScalarType } from './document.ts'
import { numberEnd } from './numbers.ts'
import type { Source } from './source-text.ts'

/** A scalar's extent in the text, quotes included. */
export interface Token {
  readonly type: ScalarType
  readonly end: number
}

/** The end of a name: `[A-Za-z_][A-Za-z0-9_]*` with something behind it that may follow a name. -1 where there is none. */
export const nameEnd = (text: string, start: number): number => {
  const end = skipClass(text, start, WORD)
  const isName = end > start && (classOf(text, start) & DIGIT) === 0
  return isName && (classOf(text, end) & ENDS_NAME) !== 0 ? end : -1
}

/**
 * The scalar at `start`, by the first rule of the grammar's table that fits (complex numbers apart, which hold blanks).
 * Undefined where none fits. Throws `FhiclError` for a string that artdaq reads and then refuses.
 */
export const scalarAt = (source: Source, start: number): Token | undefined => {
  const { text } = source
  const first = text[start] ?? ''
  if (first === '"' || first === "'") return quotedAt(source, start, first)
  const keyword = KEYWORDS[first]
  if (keyword !== undefined && isKeyword(text, start, keyword[0])) {
    return { type: keyword[1], end: start + keyword[0].length }
  }
  if (first === 'i' || (classOf(text, start) & (DECIMAL | DIGIT)) !== 0) {
    const end = numberEnd(text, start)
    if (end > start) return { type: 'number', end }
  }
  const end = unquotedEnd(text, start)
  return end > start ? { type: 'string_unquoted', end } : undefined
}

/** By first character. */
const KEYWORDS: Readonly<Record<string, readonly [word: string, type: ScalarType]>> = {
  '@': ['@nil', 'nil'],
  t: ['true', 'bool'],
  f: ['false', 'bool'],
}

const isKeyword = (text: string, start: number, word: string): boolean =>
  text.startsWith(word, start) && (classOf(text, start + word.length) & ENDS_TOKEN) !== 0

/** A name, a word that begins with a digit, or a reference such as `@local::a.b`. */
const unquotedEnd = (text: string, start: number): number => {
  const word = skipClass(text, start, WORD)
  if ((classOf(text, start) & DIGIT) !== 0) return (classOf(text, word) & ENDS_WORD) !== 0 ? word : -1
  if (word > start && (classOf(text, word) & ENDS_NAME) !== 0) return word
  const loose = skipClass(text, word, LOOSE)
  return loose > start && (classOf(text, loose) & ENDS_NAME) !== 0 ? loose : -1
}

const quotedAt = (source: Source, start: number, quote: '"' | "'"): Token => {
  const { text } = source
  const close = quote === "'" ? text.indexOf(quote, start + 1) : closingQuote(text, start + 1)
  if (close < 0) throw source.error(start, 'a string that is never closed')
  const end = close + 1
  if ((classOf(text, end) & ENDS_TOKEN) === 0) {
    throw source.error(end, 'something directly behind a closing quote', 'Put a blank between them.')
  }
  checkContent(source, start + 1, close, quote)
  return { type: quote === '"' ? 'string_doublequoted' : 'string_singlequoted', end }
}

/** The double quote that closes a text which begins at `from`; -1: none. `\"` does not, nor `\\"`: artdaq looks at one backslash only. */
export const closingQuote = (text: string, from: number): number => {
  let close = text.indexOf('"', from)
  while (close > from && text[close - 1] === '\\') close = text.indexOf('"', close + 1)
  return close
}

const checkContent = (source: Source, start: number, end: number, quote: '"' | "'"): void => {
  const { text } = source
  for (let at = start; at < end; at++) {
    if ((classOf(text, at) & UNPRINTABLE) !== 0) throw source.error(at, 'a control character in a string')
    if (quote === "'" || text[at] !== '\\') continue
    const escaped = text[at + 1] ?? ''
    if (!'"\'\\nt'.includes(escaped)) {
      throw source.error(at, `the escape \\${escaped} in a string`, 'Use single quotes, or write \\\\.')
    }
    at++
  }
}
