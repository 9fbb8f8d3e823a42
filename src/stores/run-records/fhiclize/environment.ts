import { ascii } from '../../../fhicl/accepted-text.ts'
import { decode, python, splitLines, strip } from './python-text.ts'
import { quoted } from './fhicl-printer.ts'

const EXPORT = python('^export\\s+([A-Za-z_][A-Za-z0-9_]*)\\s*=\\s*(.*)$')
// Lines that are no part of the value before them, though the original drops them all the same.
const OTHER = python('^(?:#|export(?:\\s|$)|[A-Za-z_][A-Za-z0-9_]*=)')

/**
 * `environment.txt` to FHiCL. Values may hold line ends: a line that is no statement of its own goes on
 * with the value before it. Nothing exported gives an empty text.
 */
export const convertEnvironment = (bytes: Uint8Array): string => {
  const variables: { name: string; lines: string[] }[] = []
  for (const line of splitLines(decode(bytes))) {
    const text = strip(line)
    const [, name, first] = EXPORT.exec(text) ?? []
    if (name !== undefined && first !== undefined) variables.push({ name, lines: [first] })
    else if (!OTHER.test(text)) variables.at(-1)?.lines.push(line)
  }
  return variables
    .map(({ name, lines }) => `${name}: ${quoted(ascii(unquoted(strip(lines.join('\n')))))}\n`)
    .join('')
}

/** Without every quote at either end. The end is searched by hand: a pattern would take quadratic time. */
export const unquoted = (text: string): string => {
  let from = 0
  let to = text.length
  while (from < to && isQuote(text.charAt(from))) from++
  while (to > from && isQuote(text.charAt(to - 1))) to--
  return text.slice(from, to)
}

const isQuote = (character: string): boolean => character === '"' || character === "'"
