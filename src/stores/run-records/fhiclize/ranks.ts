import { decode, splitLines, strip, words } from './python-text.ts'
import { Keys, list } from './fhicl-printer.ts'

/**
 * `ranks.txt` to FHiCL. Unlike the original it keeps the rows of 2018 and 2019, which have no
 * subsystem, and those of a process whose subsystem is blank. Without a header: an empty text.
 */
export const convertRanks = (bytes: Uint8Array): string => {
  const lines = splitLines(decode(bytes)).map(strip)
  const [header, ...rows] = lines.filter((line) => line !== '' && !line.startsWith('#')).map(words)
  if (header === undefined) return ''
  const keys = new Keys()
  keys.free('header')
  const body = rows.flatMap((row) => {
    const cells = complete(header, row)
    // In a shorter row the rank is what stands under the header's last word.
    const rank = row.length >= 5 ? cells?.[4] : cells?.[header.length - 1]
    return cells === undefined || rank === undefined
      ? []
      : [`  ${keys.inTable(`rank${rank}`)}: ${list(cells)}\n`]
  })
  return `ranks: {\n  header: ${list(header)}\n${body.join('')}}\n`
}

/** A row with a cell for each word of the header; undefined for a line that is no row. */
const complete = (header: readonly string[], row: readonly string[]): readonly string[] | undefined => {
  if (row.length >= 5) return row
  if (row.length === header.length && header.at(-1) === 'rank') return row
  const subsystem = header.indexOf('subsystem')
  return row.length === 4 && header.length === 5 && subsystem >= 0
    ? row.toSpliced(subsystem, 0, '')
    : undefined
}
