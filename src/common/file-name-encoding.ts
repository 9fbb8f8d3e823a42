/**
 * File names are bytes; here they are text from which the bytes can be had back. Valid UTF-8 stays readable; bytes that
 * are not UTF-8, control characters and `%` become `%XX` (two upper-case hexadecimal digits).
 */
export const nameOf = (bytes: Uint8Array): string => {
  let name = ''
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const decoded = text.toString('utf8')
  if (PLAIN.test(decoded)) return decoded
  if (Buffer.from(decoded, 'utf8').equals(text)) {
    for (const character of decoded)
      name += needsEscape(character) ? escapeBytes(Buffer.from(character)) : character
    return name
  }
  // Not UTF-8 as a whole: every byte above 127 is escaped, so that the way back is unambiguous.
  for (const byte of text) {
    const character = String.fromCharCode(byte)
    name += byte > 0x7e || needsEscape(character) ? escapeBytes([byte]) : character
  }
  return name
}

// Printable ASCII without `%`: nearly every name there is.
const PLAIN = /^[ -$&-~]*$/

/** The bytes of a name that `nameOf` made. */
export const bytesOf = (name: string): Buffer => {
  const parts: Buffer[] = []
  let from = 0
  for (const match of name.matchAll(/%([0-9A-F]{2})/g)) {
    parts.push(
      Buffer.from(name.slice(from, match.index), 'utf8'),
      Buffer.from([parseInt(match[1] ?? '', 16)]),
    )
    from = match.index + match[0].length
  }
  parts.push(Buffer.from(name.slice(from), 'utf8'))
  return Buffer.concat(parts)
}

const needsEscape = (character: string): boolean =>
  character === '%' || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(character)

const escapeBytes = (bytes: Iterable<number>): string =>
  [...bytes].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
