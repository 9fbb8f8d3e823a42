import { isUtf8 } from 'node:buffer'
import { ArchiverError } from '../../../errors.ts'
import type { RecordFile, RunDocument } from '../../run-record.ts'

/** What a document keeps beside its FHiCL: the file it was made from, and the text that the archive's blob carries. */
export interface Originals {
  readonly original: RecordFile | undefined
  readonly text: Buffer | undefined
}

/**
 * The strings of `origin.rawdata` that keep a document's original (docs/FORMATS.md): `<role> <encoding> <mode> <name>`, a
 * line end, and the content. The text is kept only where it is not the original's content.
 */
export function originalStrings(document: RunDocument): readonly string[] {
  const { original, text } = document
  const strings: string[] = []
  if (original) strings.push(keep(`original`, octal(original.mode), original.name, original.content))
  if (!original?.content.equals(text)) strings.push(keep('text', '-', '-', text))
  return strings
}

/** Reads what `originalStrings` made; strings of other programs are passed over. Throws STORE_CORRUPT naming `where`. */
export function readOriginals(rawdata: readonly string[], where: string): Originals {
  let original: RecordFile | undefined
  let text: Buffer | undefined
  for (const kept of rawdata) {
    const end = kept.indexOf('\n')
    const [, role, encoding, mode = '', name = ''] =
      /^(original|text) (utf8|base64) ([0-7]{4}|-) (.+)$/.exec(kept.slice(0, end)) ?? []
    if (end < 0 || role === undefined || encoding === undefined) {
      if (!mayBeKept(kept)) continue
      throw new ArchiverError('STORE_CORRUPT', `${where}: the original kept in it is damaged: its first line`)
    }
    const content = decode(encoding, kept.slice(end + 1), where)
    if (role === 'text') text = content
    else original = { name, mode: parseInt(mode, 8), content }
  }
  return { original, text: text ?? original?.content }
}

/** Whether a string keeps an original, or did before a few of its bits were lost. Other programs leave the list empty, as artdaq does. */
export const mayBeKept = (text: string): boolean => {
  const end = text.indexOf('\n')
  return /orig|inal|text|utf8|base|seal|sha2/.test(text.slice(0, end < 0 || end > LONGEST ? LONGEST : end))
}

/** Of a string without a line end, so much is taken for its first line. */
const LONGEST = 400

/** Bytes as text that artdaq's JSON can carry: as they are where they are UTF-8 it can hold, else in base64. */
export function encode(content: Buffer): { readonly encoding: 'utf8' | 'base64'; readonly content: string } {
  const text = isUtf8(content) ? content.toString('utf8') : undefined
  return text !== undefined && !UNSPEAKABLE.test(text)
    ? { encoding: 'utf8', content: text }
    : { encoding: 'base64', content: content.toString('base64') }
}

/** The bytes that `encode` was given. Throws STORE_CORRUPT, naming `where`, for base64 that is cut or garbled. */
export function decode(encoding: string, content: string, where: string): Buffer {
  if (encoding === 'utf8') return Buffer.from(content, 'utf8')
  const bytes = Buffer.from(content, 'base64')
  if (bytes.toString('base64') !== content)
    throw new ArchiverError('STORE_CORRUPT', `${where}: the original kept in it is damaged`)
  return bytes
}

export const octal = (mode: number): string => mode.toString(8).padStart(4, '0')

const keep = (role: string, mode: string, name: string, bytes: Buffer): string => {
  const { encoding, content } = encode(bytes)
  return `${role} ${encoding} ${mode} ${name}\n${content}`
}

// The escapes that artdaq's reader knows are \b \f \n \r \t; other control characters have no spelling.
const UNSPEAKABLE = /[\u0000-\u0007\u000b\u000e-\u001f]/
