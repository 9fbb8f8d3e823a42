import { RunSet } from './run-set.ts'

/** The number that a key is; undefined for a key that is none. */
export const numberOf = (key: string): number | undefined => {
  const number = /^[1-9][0-9]{0,15}$/.test(key) ? Number(key) : NaN
  return Number.isSafeInteger(number) ? number : undefined
}

/** Keys as one short text: `12000-12050,12060` where all of them are numbers, a list with commas otherwise. */
export const keysText = (keys: readonly string[]): string => {
  const numbers = keys.map(numberOf)
  return numbers.every((number) => number !== undefined)
    ? RunSet.of(numbers).toString()
    : [...keys].sort().join(',')
}

/** How an item is named to people: `run 12` in the two stages of runs, `item a/b` elsewhere. */
export const itemTitle = (stage: string, key: string): string =>
  stage === 'import' || stage === 'migrate' ? `run ${key}` : `item ${key}`

/** What is said of an item, for a line that names it already: without its name in front. */
export const withoutTitle = (stage: string, key: string, message: string): string => {
  const title = `${itemTitle(stage, key)}: `
  return message.startsWith(title) ? message.slice(title.length) : message
}
