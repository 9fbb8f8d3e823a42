import { ArchiverError } from '../../../errors.ts'
import { proveSeal } from '../format/proof.ts'
import type { Stored } from '../format/document-reader.ts'
import type { IndexFacts } from '../../store.ts'

/** A file in a collection that cannot be read to its end. */
export interface Unreadable {
  readonly oid: string
  /** Why, naming the file. */
  readonly message: string
  /** What it says of itself, where that much of it can be read. */
  readonly facts: IndexFacts | undefined
}

/** How documents are opened. Both throw STORE_CORRUPT. */
interface Opening {
  readonly isLarge: (oid: string) => Promise<boolean>
  readonly open: (oid: string) => Promise<Stored>
  readonly openLarge: (oid: string) => Promise<Stored>
}

const AT_ONCE = 16

/** Reads many documents to their end, some at once, and large ones after them, one by one. Damaged ones are reported, not thrown. */
export async function readMany<T>(
  oids: readonly string[],
  keep: (document: Stored) => T,
  { isLarge, open, openLarge }: Opening,
): Promise<{ readonly kept: readonly T[]; readonly unreadable: readonly Unreadable[] }> {
  const kept: T[] = []
  const unreadable: Unreadable[] = []
  const large: string[] = []
  const look = async (oid: string, opening: Promise<Stored>): Promise<void> => {
    let facts: IndexFacts | undefined
    try {
      const document = await opening
      facts = document.facts
      proveSeal(document)
      kept.push(keep(document))
    } catch (error) {
      if (!(error instanceof ArchiverError) || error.code !== 'STORE_CORRUPT') throw error
      unreadable.push({ oid, message: error.message, facts })
    }
  }
  const left = oids.values()
  const work = async (): Promise<void> => {
    for (const oid of left)
      if (await isLarge(oid)) large.push(oid)
      else await look(oid, open(oid))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  for (const oid of large) await look(oid, openLarge(oid))
  return { kept, unreadable }
}
