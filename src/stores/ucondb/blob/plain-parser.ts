import { ArchiverError } from '../../../errors.ts'
import { nameOf } from '../../../common/file-name-encoding.ts'

const LINE = '\n#####\n'
const END = '\nEnd of Record\n'

/**
 * Cuts a blob's body at the original's markers, as its own reader does: `\n#####\n`, a name on one line, `:\n#####\n`. The last
 * section ends with the body, or, `strictly`, at the first line `End of Record` as the original would have it.
 * Throws STORE_CORRUPT when something stands before the first marker.
 */
export const readPlainSections = (
  body: Buffer,
  strictly?: 'strictly',
): { name: string; content: Buffer }[] => {
  const sections: { name: string; content: Buffer }[] = []
  let next = findMarker(body, 0)
  const before = next?.from ?? body.length
  if (before > 0)
    throw new ArchiverError(
      'STORE_CORRUPT',
      `the blob is damaged: ${before} bytes stand before the first section`,
    )
  while (next) {
    const { name, to } = next
    next = findMarker(body, to)
    let end = next?.from ?? body.length
    const cut = strictly && !next ? body.indexOf(END, to) : -1
    if (cut >= 0) end = cut
    sections.push({ name, content: body.subarray(to, end) })
  }
  return sections
}

interface Marker {
  readonly name: string
  readonly from: number
  readonly to: number
}

const findMarker = (body: Buffer, start: number): Marker | undefined => {
  for (let from = body.indexOf(LINE, start); from >= 0; from = body.indexOf(LINE, from + 1)) {
    const at = from + LINE.length
    const lineEnd = body.indexOf('\n', at)
    // The shortest name that fits, as the original's `(.+?)`: at least one byte, on one line, then `:` and the closing line.
    const closes = body.subarray(lineEnd - 1, lineEnd + LINE.length).equals(Buffer.from(`:${LINE}`))
    if (lineEnd > at + 1 && closes)
      return { name: textOf(body.subarray(at, lineEnd - 1)), from, to: lineEnd + LINE.length }
  }
  return undefined
}

// A name that is not UTF-8 is shown as file names are, so that two names never read the same.
const textOf = (bytes: Buffer): string => {
  const text = bytes.toString()
  return Buffer.from(text).equals(bytes) ? text : nameOf(bytes)
}
