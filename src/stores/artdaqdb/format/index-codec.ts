import { ArchiverError } from '../../../errors.ts'
import { type CollectionIndex, STAMPS } from './search-index.ts'
import { SECTIONS } from '../../index-data.ts'
import { parseLooseIndex } from './index-lenient-parser.ts'
import { IndexLines } from './index-lines.ts'
import { IndexParts } from './index-parts.ts'
import { StringTable } from './string-table.ts'

/**
 * Reads `index.json`. artdaq's own layout, a line for each item, is taken in one walk over the bytes
 * that checks every one of them; any other layout is read by the general JSON reader. All text stays byte strings
 * (latin1), in the escaped form of the file, so that what is not understood is written back as it was. A list that is not sorted is sorted.
 * Throws STORE_CORRUPT, naming `path`, for an index that is cut, empty, or no index.
 */
export function parseIndex(bytes: Buffer, path: string): CollectionIndex {
  try {
    return parseLines(bytes) ?? parseLooseIndex(bytes)
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof ArchiverError)) throw error
    throw new ArchiverError('STORE_CORRUPT', `${path} is damaged: ${error.message}`, {
      cause: error,
      hint: 'run-archiver artdaq repair writes it again from the documents; the damaged one is kept',
    })
  }
}

/** What artdaq makes of an index that is missing; the first addition gives it the usual layout. */
export const EMPTY_INDEX =
  '{"ouid":[], "version":{},"configurations.name":{}, "entities.name":{},"aliases.active.name":{}, "runs.name":{},"configurations.assigned":{} }'

const [FIRST] = SECTIONS

/** Undefined when the text is laid out in any other way, or is damaged. */
function parseLines(bytes: Buffer): CollectionIndex | undefined {
  const lines = new IndexLines(bytes)
  const known: number[] = []
  if (!lines.take('{\n"ouid" : [\n')) return undefined
  if (!lines.list((from, to) => known.push(from, to))) return undefined
  const parts = new IndexParts(StringTable.ofPlaces(bytes, known))
  const places: [from: number, to: number][] = []
  for (const section of SECTIONS) {
    if (!lines.take(`,\n"${section}" : {\n`)) return undefined
    const add = (from: number, to: number): void => parts.add(section, bytes, from, to)
    let position = 0
    const areSound = lines.names((name) => {
      const from = lines.at
      // Versions, configurations and runs mostly have the same documents, so most lists stand in the file three times.
      const before = section === FIRST || section === STAMPS ? undefined : places[position]
      if (before && lines.takeAgain(before)) parts.repeat(section, FIRST, position)
      else if (!lines.list(add)) return false
      if (section === FIRST) places.push([from, lines.at])
      parts.end(section, name)
      position++
      return true
    })
    if (!areSound) return undefined
  }
  return lines.take('\n}') && lines.atEnd ? parts.index() : undefined
}
