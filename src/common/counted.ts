/** `1 row`, `2 rows`: a number with its noun. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** A sentence about so many that says "are": of one it says "is". */
export const agreeing = (count: number, sentence: string): string =>
  count === 1 ? sentence.replaceAll(/\bare\b/g, 'is') : sentence
