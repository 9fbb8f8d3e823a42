import { gunzipSync } from 'node:zlib'
import { ItemError } from '../item-error.ts'
import { decodeText } from './decode-text.ts'
import { readJsonPayload } from './json-reader.ts'
import type { Selection } from './reach.ts'
import type { Element, Limits } from './tree.ts'
import { readXml, type Naming } from './xml-reader.ts'

export interface PayloadFormat {
  readonly format: 'xml' | 'json'
  readonly limits: Limits
  readonly naming: Naming
  readonly selection: Selection
}

/**
 * The root element of a payload. Text is already decoded, so what its declaration says of an encoding is ignored; bytes are decoded
 * strictly, and unpacked first where they are gzip. Throws an ItemError of stage `parse`.
 */
export const readPayload = (payload: string | Uint8Array, options: PayloadFormat): Element => {
  const text = (typeof payload === 'string' ? payload : decoded(payload, options.limits)).replace(
    /^\uFEFF/,
    '',
  )
  if (/^[ \t\r\n]*$/.test(text)) throw new ItemError('PAYLOAD_EMPTY', 'the payload is empty')
  if (isLarger(text, options.limits.bytes)) throw tooLarge(options.limits)
  return options.format === 'json' ? readJsonPayload(text, options) : readXml(text, options)
}

/** A character has one to three bytes in UTF-8 for each of its units in memory. */
const isLarger = (text: string, bytes: number): boolean =>
  text.length > bytes || (text.length * 3 > bytes && Buffer.byteLength(text) > bytes)

const decoded = (bytes: Uint8Array, limits: Limits): string => {
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? unpacked(bytes, limits) : bytes
  if (plain.byteLength > limits.bytes) throw tooLarge(limits)
  return decodeText(plain)
}

const unpacked = (bytes: Uint8Array, limits: Limits): Uint8Array => {
  try {
    return gunzipSync(bytes, { maxOutputLength: limits.bytes })
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(limits)
    throw new ItemError('XML_ENCODING', 'the payload begins as gzip and cannot be unpacked')
  }
}

const tooLarge = ({ bytes }: Limits): ItemError =>
  new ItemError('XML_TOO_LARGE', `the payload is larger than ${bytes} bytes (limits.bytes)`)
