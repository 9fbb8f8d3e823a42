import { decodeBytes } from '../../../fhicl/accepted-text.ts'

/**
 * Text as Python sees it. The original program is written in Python, and what it calls a line, a blank or a digit decides
 * what it made of a record; JavaScript's `trim`, `\s` and `\d` differ (docs/FORMATS.md, "Conversion of text files").
 */

// Python's str.isspace: not U+FEFF, which JavaScript counts, but U+001C to U+001F and U+0085, which it does not.
const BLANK = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const LINE_END = /[\n\v\f\x1c-\x1e\x85\u2028\u2029]/
const LEADING = new RegExp(`^[${BLANK}]+`, 'u')
const BLANKS = new RegExp(`[${BLANK}]+`, 'u')

/** A pattern in which `\s`, `\S` and `\d` mean what they mean in Python. Not for use inside of character classes. */
export const python = (pattern: string, flags = ''): RegExp =>
  new RegExp(
    pattern.replaceAll('\\s', `[${BLANK}]`).replaceAll('\\S', `[^${BLANK}]`).replaceAll('\\d', '\\p{Nd}'),
    `u${flags}`,
  )

/** The characters of Python's `\s`, for use inside of a character class. */
export const BLANK_CLASS = BLANK

/** Python's `splitlines`: no empty line after the last line end. */
export const splitLines = (text: string): string[] => {
  const lines = text.split(LINE_END)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** Python's `strip`. Its end is searched by hand: a pattern would take quadratic time on a long run of blanks. */
export const strip = (text: string): string => {
  const from = LEADING.exec(text)?.[0].length ?? 0
  let to = text.length
  while (to > from && isBlank(text.charAt(to - 1))) to--
  return text.slice(from, to)
}

/** Python's `split` without arguments. */
export const words = (text: string): string[] => text.split(BLANKS).filter((word) => word !== '')

const isBlank = (character: string): boolean => LEADING.test(character)

/**
 * Text of a file as Python's universal newlines give it: `\r\n` and `\r` become `\n`. Where Python gives up, on bytes that
 * are not UTF-8, the file is taken as Latin-1, so that no byte is lost. A byte order mark is left out.
 */
export const decode = (bytes: Uint8Array): string => {
  const text = decodeBytes(bytes)
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
}

/** The same with the byte order mark as a character, as the Python original reads it. */
export const decodeWithMark = (bytes: Uint8Array): string =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? `\ufeff${decode(bytes)}` : decode(bytes)
