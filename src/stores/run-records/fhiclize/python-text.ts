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

const strict = new TextDecoder('utf-8', { fatal: true })

/**
 * Text of a file as Python's universal newlines give it: `\r\n` and `\r` become `\n`. Where Python gives up, on bytes that
 * are not UTF-8, the file is taken as Latin-1, so that no byte is lost (D13, D17). A byte order mark is left out.
 */
export const decode = (bytes: Uint8Array): string => {
  const text = decodeBytes(bytes)
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
}

/** As `decode`, with the line ends as they are. */
const decodeBytes = (bytes: Uint8Array): string =>
  decodeStrictly(bytes) ?? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

const decodeStrictly = (bytes: Uint8Array): string | undefined => {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** The text of bytes as `decode` reads them, line ends as they are, in ASCII as `ascii` has it. */
export const decodeAscii = (bytes: Uint8Array): string => {
  const text = decodeStrictly(bytes)
  // In UTF-8, one byte a character means that all of it is ASCII.
  return text?.length === bytes.length ? text : ascii(decodeBytes(bytes))
}

/** Each code point above 127 becomes one `.`: artdaqDB takes nothing else, not even in a comment. */
export const ascii = (text: string): string => text.replace(/[^\x00-\x7f]/gu, '.')
