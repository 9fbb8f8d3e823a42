import { BLANK_CLASS, decodeWithMark, splitLines, strip, words } from '../fhiclize/python-text.ts'
import { isNumeric } from '../fhiclize/fhicl-printer.ts'
import { array, quote } from './quote.ts'

const linesOf = (bytes: Uint8Array): readonly string[] =>
  splitLines(decodeWithMark(bytes))
    .map(strip)
    .filter((line) => line !== '' && !line.startsWith('#'))

// A word; a double quote in it opens a text that may hold blanks, and the next one ends text and word.
const WORD = new RegExp(`([^${BLANK_CLASS}"]*)("[^"]*"?)?`, 'gu')

/** known_boardreaders_list.fcl: the key is not changed. */
export const originalKnownBoardreaders = (bytes: Uint8Array): string =>
  linesOf(bytes)
    .map((line) => [...line.matchAll(WORD)].map(([word]) => word).filter((word) => word !== ''))
    .flatMap(([key = '', ...values]) => (values.length === 0 ? [] : [`${key}: ${boardreader(values)}\n`]))
    .join('')

const boardreader = (values: readonly string[]): string => {
  const isQuoted = (word: string): boolean => word.startsWith('"') && word.endsWith('"')
  const printed = values.map((word) => (isQuoted(word) ? word : `"${word}"`)).join(', ')
  return `[${printed}${values.some(isQuoted) ? ' ]' : ']'}`
}

const SEPARATORS = new RegExp(`[${BLANK_CLASS}\\-()/#.]+`, 'gu')

/** settings.fcl: each `-` of a list becomes `_`, and a remark behind a list is part of it. */
export const originalSettings = (bytes: Uint8Array): string =>
  linesOf(bytes)
    .flatMap((line) => {
      const colon = line.indexOf(':')
      if (colon < 0) return []
      const key = strip(line.slice(0, colon)).replace(SEPARATORS, '_')
      return [`${key}: ${setting(strip(line.slice(colon + 1)))}\n`]
    })
    .join('')

const setting = (text: string): string => {
  if (text.startsWith('[')) {
    const items = text
      .slice(1)
      .replace(/.$/su, '') // a character of two halves goes whole
      .split(',')
      .map(strip)
      .filter((item) => item !== '')
      .map((item) => unquoted(item).replaceAll('-', '_'))
    return `[ ${items.join(', ')} ]`
  }
  if (isNumeric(text)) return text
  return /^(?:true|false)$/i.test(text) ? text.toLowerCase() : quote(text)
}

/** A lone quote becomes an empty item. */
const unquoted = (item: string): string => (/^(["'])(?:.*\1)?$/s.test(item) ? item.slice(1, -1) : item)

/** ranks.fcl: rows of fewer than five words are dropped. */
export const originalRanks = (bytes: Uint8Array): string => {
  const [header, ...rows] = linesOf(bytes).map(words)
  if (header === undefined) return ''
  const body = rows
    .filter((row) => row.length >= 5)
    .map((row) => `  rank${row[4] ?? ''}: ${array(row)}\n`)
    .join('')
  return `ranks: {\n  header: ${array(header)}\n${body}}\n`
}
