import { stat } from 'node:fs/promises'
import { COMMIT_MARK } from '../names.ts'
import type { Database } from '../index/database.ts'
import { indexedRuns } from '../index/run-index.ts'

/**
 * Bytes of a run's `schema` documents, which carry all files that no other document does, and of the largest other one it is enough to know
 * that the import has bounded it. A stat each; documents that are gone count nothing.
 */
export async function documentsSize(database: Database, run: number): Promise<number> {
  const collection = database.collection(COMMIT_MARK)
  const { index } = await collection.index()
  const oids = new Set<string>()
  for (const name of indexedRuns(index).configurations.get(run) ?? [])
    for (const oid of index.list('configurations.name', name).items) oids.add(oid)
  let bytes = 0
  for (const oid of oids) {
    const { size } = await stat(collection.documentPath(oid)).catch(() => ({ size: 0 }))
    bytes += size
  }
  return bytes
}
