import { BLANK_CLASS, decode, splitLines, strip } from './python-text.ts'
import { Keys, quoted } from './fhicl-printer.ts'

// A word; a double quote in it opens a text that may hold blanks, and the next one ends text and word.
const WORD = new RegExp(`([^${BLANK_CLASS}"]*)("[^"]*"?)?`, 'gu')

/** `known_boardreaders_list.txt` to FHiCL: a list for each board reader, its name the key. */
export const convertKnownBoardreaders = (bytes: Uint8Array): string => {
  const keys = new Keys()
  const lines = splitLines(decode(bytes)).map(strip)
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [...line.matchAll(WORD)].map(([word]) => word).filter((word) => word !== ''))
    .flatMap(([key = '', ...values]) => (values.length === 0 ? [] : [`${keys.of(key)}: ${print(values)}\n`]))
    .join('')
}

const print = (values: readonly string[]): string => {
  const end = values.some(isQuoted) ? ' ]' : ']'
  return `[${values.map((word) => quoted(isQuoted(word) ? word.slice(1, -1) : word)).join(', ')}${end}`
}

const isQuoted = (word: string): boolean => word.length > 1 && word.startsWith('"') && word.endsWith('"')
