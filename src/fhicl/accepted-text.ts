const strict = new TextDecoder('utf-8', { fatal: true })

const decodeStrictly = (bytes: Uint8Array): string | undefined => {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** The text of bytes: UTF-8, and Latin-1 where they are not UTF-8, so that no byte is lost. A byte order mark is left out. */
export const decodeBytes = (bytes: Uint8Array): string =>
  decodeStrictly(bytes) ?? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

/** Each code point above 127 becomes one `.`: artdaqDB takes nothing else, not even in a comment. */
export const ascii = (text: string): string => text.replace(/[^\x00-\x7f]/gu, '.')

/** The text of bytes as `decodeBytes` reads them, line ends as they are, in ASCII as `ascii` has it. */
export const decodeAscii = (bytes: Uint8Array): string => {
  const text = decodeStrictly(bytes)
  // In UTF-8, one byte a character means that all of it is ASCII.
  return text?.length === bytes.length ? text : ascii(decodeBytes(bytes))
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** A FHiCL name made of any text. */
export const nameFrom = (text: string): string => {
  const name = text.replace(/[^A-Za-z0-9]+/g, '_')
  return NAME.test(name) ? name : `_${name}`
}

/** The FHiCL of a document whose text artdaq does not take: an empty table under the document's name. */
export const emptyTable = (entity: string): string => `${nameFrom(entity)}: {}\n`
