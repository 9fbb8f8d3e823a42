import { ItemError } from '../item-error.ts'

/** What Windows-1252 has at 0x80 to 0x9F; 0 where it has nothing. Node 20 decodes these to control characters. */
const WINDOWS_1252 = [
  0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
  0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
  0x0153, 0, 0x017e, 0x0178,
]

const DECLARATION = /^<\?xml[ \t\r\n][^>]*?encoding[ \t\r\n]*=[ \t\r\n]*["']([A-Za-z][A-Za-z0-9._-]*)["']/

const failed = (message: string): ItemError => new ItemError('XML_ENCODING', message)

/**
 * The text of a payload's bytes, strictly: by its byte order mark, then by the declaration of an XML document, else UTF-8. Nothing is
 * replaced by U+FFFD. Throws XML_ENCODING where a byte means nothing, or where the declaration cannot be true.
 */
export const decodeText = (bytes: Uint8Array): string => {
  const [a, b, c, d] = bytes
  if ((a === 0 && b === 0) || (a === 0xff && b === 0xfe && c === 0 && d === 0))
    throw failed('UTF-32 is not read')
  if (a === 0xef && b === 0xbb && c === 0xbf) return strict(bytes.subarray(3), 'utf-8')
  if (a === 0xfe && b === 0xff) return utf16(bytes.subarray(2), true)
  if (a === 0xff && b === 0xfe) return utf16(bytes.subarray(2), false)
  if (a === 0 && b !== undefined) return utf16(bytes, true)
  if (b === 0) return utf16(bytes, false)
  const declared = DECLARATION.exec(latin1(bytes.subarray(0, 200)))?.[1]?.toLowerCase() ?? 'utf-8'
  const encoding = knownEncoding(declared)
  if (/^utf-?16|^ucs-?[24]|^iso-10646/.test(declared) || encoding.startsWith('utf-16'))
    throw failed(`the payload is declared ${declared} and its bytes are not`)
  // Browsers, and the decoder with them, take ASCII and ISO-8859-1 for windows-1252.
  if (encoding !== 'windows-1252') return strict(bytes, encoding)
  if (/1252/.test(declared)) return windows1252(bytes)
  if (/ascii|ansi/.test(declared) && bytes.some((byte) => byte > 0x7f))
    throw failed('the payload is declared US-ASCII and holds other bytes')
  return latin1(bytes)
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

const windows1252 = (bytes: Uint8Array): string =>
  latin1(bytes).replace(/[\x80-\x9f]/g, (character) => {
    const code = WINDOWS_1252[character.charCodeAt(0) - 0x80]
    if (code === undefined || code === 0)
      throw failed('the payload is declared windows-1252 and holds a byte that it does not have')
    return String.fromCharCode(code)
  })

const utf16 = (bytes: Uint8Array, bigEndian: boolean): string =>
  strict(bytes, bigEndian ? 'utf-16be' : 'utf-16le')

const strict = (bytes: Uint8Array, encoding: string): string => {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw failed(`the payload holds bytes that are not ${encoding}`)
  }
}

/** The name that the decoder has for an encoding. */
const knownEncoding = (name: string): string => {
  try {
    return new TextDecoder(name, { fatal: true }).encoding
  } catch {
    throw failed(`the encoding ${name} is not known`)
  }
}
