import { strip } from '../fhiclize/python-text.ts'

/** Digits with at most one point: `.`, `1.` and `007` are numbers to the original, `-1` and `0x10` are not. */
export const isNumeric = (value: string): boolean => /^(?=.)[0-9]*\.?[0-9]*$/.test(value)

/** A value as the original quotes it. Backslashes are never escaped. */
export const quote = (value: string): string => {
  const text = strip(value)
  if (text.startsWith('"') && text.endsWith('"') && text !== '') return text
  if ((text.startsWith('[') && text.endsWith(']')) || isNumeric(text)) return text
  return `"${text.replaceAll('"', '\\"')}"`
}

/** A list as the original prints it: nothing is escaped. */
export const array = (items: readonly string[]): string => `[${items.map((item) => `"${item}"`).join(', ')}]`
