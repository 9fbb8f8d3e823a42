/**
 * What a character is to the grammar, as bits: one table look-up a character. The classes are those of the FHiCL
 * section of docs/FORMATS.md. `ENDS_X` says what may stand directly behind an X.
 */
export const SPACE = 1
/** `[A-Za-z0-9_]` */
export const WORD = 2
export const DIGIT = 4
/** `[A-Za-z0-9_:.@]`: what an unquoted reference may hold. */
export const LOOSE = 8
/** `[0-9.+-eE]` */
export const DECIMAL = 16
export const HEX = 32
/** Behind `@nil`, `true`, `false` and a closing quote. */
export const ENDS_TOKEN = 64
/** Behind a word that begins with a digit. */
export const ENDS_WORD = 128
/** Behind a name or an unquoted value. */
export const ENDS_NAME = 256
export const ENDS_NUMBER = 512
export const ENDS_INFINITY = 1024
/** A control character that no string may hold: all but newline and tab. */
export const UNPRINTABLE = 2048

const AT_THE_END = ENDS_TOKEN | ENDS_WORD | ENDS_NAME | ENDS_NUMBER | ENDS_INFINITY

const classify = (code: number): number => {
  const character = String.fromCharCode(code)
  const within = (set: string, bits: number): number => (set.includes(character) ? bits : 0)
  const visible = code > 0x20 && code < 0x7f
  return (
    within(' \t\n\v\f\r', SPACE) |
    (/\w/.test(character) ? WORD | LOOSE : within(':.@', LOOSE)) |
    within('0123456789', DIGIT | DECIMAL | HEX) |
    within('.+-eE', DECIMAL) |
    within('abcdefABCDEF', HEX) |
    (visible ? 0 : AT_THE_END) |
    within(',]}', ENDS_TOKEN) |
    within('#/,]}', ENDS_WORD) |
    within('#/,]}.[:', ENDS_NAME) |
    within('#/,]})', ENDS_NUMBER) |
    within('),]}', ENDS_INFINITY) |
    (visible || ' \t\n'.includes(character) ? 0 : UNPRINTABLE)
  )
}

const TABLE = Uint16Array.from({ length: 128 }, (_, code) => classify(code))

/** The classes of the character at a position; behind the last one everything may end. The text is ASCII. */
export const classOf = (text: string, position: number): number =>
  position < text.length ? (TABLE[text.charCodeAt(position)] ?? 0) : AT_THE_END

/** The first position, from `position` on, whose character is not of the class. */
export const skipClass = (text: string, position: number, bits: number): number => {
  let at = position
  while (at < text.length && ((TABLE[text.charCodeAt(at)] ?? 0) & bits) !== 0) at++
  return at
}
