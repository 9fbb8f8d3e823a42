import type { CollectionIndex } from '../format/search-index.ts'
import { StringFinder } from '../format/string-finder.ts'

/** How the files of a collection and its index differ. */
export interface Difference {
  /** Documents that the index does not know. */
  readonly orphans: readonly string[]
  /** Documents that the index knows and that are not there. */
  readonly missing: readonly string[]
}

/** `there`: the oids of all documents in the directory. */
export function differenceOf({ documents, ouid }: CollectionIndex, there: readonly string[]): Difference {
  const finder = new StringFinder(documents)
  const isMissing = new Uint8Array(documents.size)
  for (const number of ouid.numbers) isMissing[number] = 1
  const orphans = there.filter((oid) => {
    const number = finder.findText(oid)
    if (number === undefined || isMissing[number] === 0) return true
    isMissing[number] = 0
    return false
  })
  const missing = Array.from(ouid.numbers.filter((number) => isMissing[number] === 1))
  return { orphans: orphans.sort(), missing: missing.map((number) => documents.at(number)) }
}
