import { calls } from '../../../platform/fs-calls.ts'
import { COMMIT_MARK } from '../names.ts'
import type { Collection } from '../index/collection.ts'
import type { Database } from '../index/database.ts'
import { indexedRuns } from '../index/run-index.ts'

/**
 * Bytes of a run's `schema` documents, which carry all files that no other document does, and of the largest other one it is enough to know
 * that the import has bounded it. A stat each; documents that are gone count nothing.
 */
export const documentsSize = (database: Database, run: number): Promise<number> =>
  sizeIn(database.collection(COMMIT_MARK), run)

/** Bytes of all documents of a run, of every version. A stat each; documents that are gone count nothing. */
export async function allDocumentsSize(database: Database, run: number): Promise<number> {
  let bytes = 0
  for (const collection of await database.collections()) bytes += await sizeIn(collection, run)
  return bytes
}

async function sizeIn(collection: Collection, run: number): Promise<number> {
  const { index } = await collection.index()
  const oids = new Set<string>()
  for (const name of indexedRuns(index).configurationsOf(run))
    for (const oid of index.list('configurations.name', name).items) oids.add(oid)
  let bytes = 0n
  for (const oid of oids) {
    const { size } = await calls.statPath(collection.documentPath(oid)).catch(() => ({ size: 0n }))
    bytes += size
  }
  return Number(bytes)
}
