import { BLANK_CLASS, decode, splitLines, strip } from './python-text.ts'
import { isBare, isNumeric, Keys, quoted, value, type IsFhicl } from './fhicl-printer.ts'
import { withoutRemark } from './strip-comment.ts'

const SEPARATORS = new RegExp(`[${BLANK_CLASS}\\-()/#.]+`, 'gu')

/**
 * `settings.txt` to FHiCL. Unlike the original it keeps the `-` in list items, puts quotes round
 * items that need them, and takes what follows a `#` for the remark that it is.
 */
export const convertSettings = (bytes: Uint8Array, isFhicl: IsFhicl): string => {
  const keys = new Keys()
  let text = ''
  for (const line of splitLines(decode(bytes)).map(strip)) {
    const colon = line.indexOf(':')
    if (line.startsWith('#') || colon < 0) continue
    const key = keys.of(strip(line.slice(0, colon)).replace(SEPARATORS, '_'))
    text += `${key}: ${print(withoutRemark(strip(line.slice(colon + 1))), isFhicl)}\n`
  }
  return text
}

const print = (text: string, isFhicl: IsFhicl): string => {
  if (text.startsWith('[')) return `[ ${items(text).map(printItem).join(', ')} ]`
  if (isNumeric(text)) return text
  return /^(?:true|false)$/i.test(text) ? text.toLowerCase() : value(text, isFhicl)
}

/** What stands between `[` and `]`, or the end of the line, split at the commas that are not between quotes. */
const items = (text: string): string[] => {
  const found: string[] = []
  let item = ''
  for (const [token] of text.slice(1).matchAll(/"[^"]*"|'[^']*'|[\s\S]/g)) {
    if (token === ']') break
    if (token === ',') {
      found.push(item)
      item = ''
    } else item += token
  }
  return [...found, item].map(strip).filter((one) => one !== '')
}

const printItem = (item: string): string => {
  const text = item.length > 1 && /^(["']).*\1$/s.test(item) ? item.slice(1, -1) : item
  return isBare(text) ? text : quoted(text)
}
