import { isNumeric } from '../fhiclize/fhicl-printer.ts'
import { strip } from '../fhiclize/python-text.ts'

/** A value as the original quotes it. Backslashes are never escaped. */
export const quote = (value: string): string => {
  const text = strip(value)
  if (text.startsWith('"') && text.endsWith('"') && text !== '') return text
  if ((text.startsWith('[') && text.endsWith(']')) || isNumeric(text)) return text
  return `"${text.replaceAll('"', '\\"')}"`
}

/** A list as the original prints it: nothing is escaped. */
export const array = (items: readonly string[]): string => `[${items.map((item) => `"${item}"`).join(', ')}]`
