import type { Extent } from '../../../fhicl/json/lazy-parser.ts'
import { readJsonValue } from '../../../fhicl/json/parser.ts'
import { type FrameNames, namesBehind } from './document-frame.ts'
import { rawdataFrom } from './seal.ts'

/** What a document says behind its FHiCL, read off the layout that this program gave it: quicker than reading it as JSON. */
export interface SealedParts {
  readonly names: FrameNames
  /** Of `origin.rawdata`, the seal first. */
  strings(): readonly string[]
}

/**
 * Takes a document apart that fits its seal (`sealAt`: where that stands), in which no string holds a line end. Undefined where anything between the
 * two lists is laid out in another way, as by older versions of this program, and for names that are not plain ASCII.
 */
export const sealedParts = (bytes: Buffer, sealAt: number): SealedParts | undefined => {
  const lines: Extent[] = []
  let start = rawdataFrom(sealAt)
  while (bytes[start] !== LIST_END) {
    const end = bytes.indexOf(LINE_END, start)
    if (end < 0) return undefined
    lines.push({ start, end: bytes[end - 1] === COMMA ? end - 1 : end })
    start = end + 1
  }
  const names = namesBehind(bytes.toString('latin1', start + 1, start + LONGEST))
  return (
    names && {
      names,
      strings: () =>
        lines.flatMap(({ start: from, end }) => {
          const value = readJsonValue(bytes.toString('utf8', from, end))
          return typeof value === 'string' ? [value] : []
        }),
    }
  )
}

const LINE_END = 0x0a
const LIST_END = 0x5d
const COMMA = 0x2c
/** Names that make more of it are read as JSON. */
const LONGEST = 16_384
