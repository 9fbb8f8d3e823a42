/**
 * What of a text not every target can hold; undefined where all can. The verdict on a payload must not depend on where its rows go:
 * PostgreSQL refuses a NUL, SQLite gives the text back cut at it, and no encoding has half of a surrogate pair.
 */
export const characterFault = (text: string): string | undefined => {
  if (text.includes('\0')) return 'has a NUL character'
  return /\p{Surrogate}/u.test(text) ? 'has half of a surrogate pair' : undefined
}

const TAB = 0x09
const NEWLINE = 0x0a
const RETURN = 0x0d
const SPACE = 0x20

const isBlank = (code: number): boolean =>
  code === SPACE || code === TAB || code === NEWLINE || code === RETURN

/**
 * Without white space of XML at either end. The one trim there is: for keys, conditions, names and values alike. The end is searched by hand: a
 * pattern would take quadratic time on a long run of blanks inside.
 */
export const trimmed = (text: string): string => {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}
