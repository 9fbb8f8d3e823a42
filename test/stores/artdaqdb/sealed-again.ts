import { createHash } from 'node:crypto'

/** A document's text with the seal of what it holds now (docs/FORMATS.md), where it has one. */
export const sealedAgain = (text: string): string => {
  const zeros = '0'.repeat(64)
  const blank = text.replace(/(?<=seal sha256 - -\\n)[0-9a-f]{64}/, zeros)
  return blank.replace(zeros, createHash('sha256').update(blank).digest('hex'))
}
