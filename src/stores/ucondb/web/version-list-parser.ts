import { isAscii } from 'node:buffer'
import { TextDecoder } from 'node:util'

/** A version as UconDB's listing gives it: as much as the archive needs. */
export interface ListedVersion {
  readonly key: string | null
  /** Epoch seconds: when the request that stored it began. */
  readonly tr: number
}

/** The longest text without an end of a version in it that is put up with, in characters: a version has some 200. */
const LONGEST = 1_000_000

/**
 * Reads `[{...}, {...}]` as it arrives, a batch of versions at a time, so that memory does not grow with the listing.
 * Throws a `SyntaxError` when the text is cut, goes on after its end, is not UTF-8, or is no array of versions: a reply
 * that ended early has the status of a whole one, and the missing `]` alone shows the difference.
 */
export async function* versionsIn(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly ListedVersion[]> {
  const decode = textDecoder()
  let text = ''
  let started = false
  for await (const chunk of chunks) {
    text += decode(chunk)
    if (!started) {
      text = text.trimStart()
      if (text === '') continue
      if (!text.startsWith('[')) throw new SyntaxError(`not a listing: ${JSON.stringify(text.slice(0, 60))}`)
      started = true
      text = text.slice(1)
    }
    const batch = wholeVersions(text)
    if (batch) {
      yield batch.versions
      text = text.slice(batch.end)
    } else if (text.length > LONGEST) throw new SyntaxError(`no version ends within ${LONGEST} characters`)
  }
  text += decode(undefined)
  const end = text.trimEnd()
  if (!started || !end.endsWith(']'))
    throw new SyntaxError('the listing was cut: its closing bracket is missing')
  yield parseBatch(end.slice(0, -1))
}

/**
 * The versions before the last separator in a text. A separator may also stand inside a tag, so what precedes it counts
 * only if it parses; if not, more text is waited for.
 */
const wholeVersions = (text: string): { versions: ListedVersion[]; end: number } | undefined => {
  // Sticky: it is tried where a bracket is, and does not search on from there.
  const separator = /\}\s*,\s*(?=\{)/y
  let at = text.lastIndexOf('}')
  while (at > 0) {
    separator.lastIndex = at
    const match = separator.exec(text)
    if (match) {
      try {
        return { versions: parseBatch(text.slice(0, at + 1)), end: at + match[0].length }
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error
        return undefined
      }
    }
    at = text.lastIndexOf('}', at - 1)
  }
  return undefined
}

const parseBatch = (text: string): ListedVersion[] => {
  const parsed: unknown = JSON.parse(`[${text}]`)
  if (!Array.isArray(parsed) || !parsed.every(isVersion))
    throw new SyntaxError('the listing holds something that is no version')
  return parsed
}

const isVersion = (value: unknown): value is ListedVersion =>
  typeof value === 'object' &&
  value !== null &&
  'key' in value &&
  (value.key === null || typeof value.key === 'string') &&
  'tr' in value &&
  typeof value.tr === 'number'

/** UTF-8 in pieces. UconDB escapes all that is not ASCII, which is read ten times faster than UTF-8. */
const textDecoder = (): ((chunk: Uint8Array | undefined) => string) => {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let plain = true
  return (chunk) => {
    plain &&= chunk !== undefined && isAscii(chunk)
    if (plain && chunk)
      return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode()
    } catch (error) {
      throw new SyntaxError('the listing is not UTF-8', { cause: error })
    }
  }
}
