import { python } from './python-text.ts'

const BLANK = python('^\\s$')

/** A value without the remark behind it: from a `#` that stands first or after a blank, and not between double quotes. */
export const withoutRemark = (text: string): string => {
  if (!text.includes('#')) return text
  let inQuotes = false
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '"') inQuotes = !inQuotes
    if (character === '#' && !inQuotes && isBlank(text, i - 1)) return trimEnd(text.slice(0, i))
  }
  return text
}

const isBlank = (text: string, index: number): boolean => index < 0 || BLANK.test(text.charAt(index))

const trimEnd = (text: string): string => {
  let to = text.length
  while (to > 0 && isBlank(text, to - 1)) to--
  return text.slice(0, to)
}
