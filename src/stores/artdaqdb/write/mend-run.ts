import { join } from 'node:path'
import { ArchiverError } from '../../../errors.ts'
import { copyDurably, syncDirectory } from '../../../platform/atomic-file.ts'
import type { Collection } from '../index/collection.ts'
import type { Database } from '../index/database.ts'
import { withDatabaseLock } from '../index/lock.ts'
import { chooseRun } from '../read/read-run.ts'
import { type Stored } from '../format/document-reader.ts'
import { shownName } from '../format/index-names.ts'
import { mended } from '../format/mended.ts'
import { prove } from '../format/proof.ts'
import { placeFiles } from './write-files.ts'

export interface MendOptions {
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly lockWaitSeconds?: number | undefined
}

/**
 * Writes the damaged documents of a run again, as they were stored, where their seal proves each byte of what their original gives. The damaged file
 * is copied beside the collections first. A crash leaves the damaged document or the mended one. Returns a sentence for each; of a document that
 * cannot be mended so, nothing, and it stays as it is.
 */
export async function mendRun(
  database: Database,
  run: number,
  options: MendOptions,
): Promise<readonly string[]> {
  const { documents } = await chooseRun(database, run)
  const damaged = documents.filter(({ stored }) => !isProved(stored))
  if (damaged.length === 0) return []
  return await withDatabaseLock(database.path, options.lockWaitSeconds ?? 60, async () => {
    const sentences: string[] = []
    for (const { collection, stored } of damaged) {
      const sentence = await mendDocument(
        database,
        database.collection(collection),
        stored.facts.oid,
        options.now(),
      )
      if (sentence !== undefined) sentences.push(sentence)
    }
    return sentences
  })
}

/** The same for one document, by whoever holds the database's lock. */
export async function mendDocument(
  database: Database,
  collection: Collection,
  oid: string,
  now: number,
): Promise<string | undefined> {
  const stored = await collection.find(oid)
  if (!stored || isProved(stored)) return undefined
  const bytes = mended(stored, collection.name)
  if (!bytes) return undefined
  const kept = `${collection.name}-${shownName(oid)}.json.damaged-${new Date(now).toISOString().replaceAll(':', '')}`
  await copyDurably(stored.path, join(database.path, kept))
  await placeFiles(database.path, [{ path: stored.path, text: () => [bytes] }])
  await syncDirectory(collection.path)
  return `${stored.path} (${stored.facts.entities.map(shownName).join(', ')}) was damaged and is written again as its seal proves it was stored; the damaged file is kept as ${kept}`
}

const isProved = (stored: Stored): boolean => {
  try {
    prove(stored)
    return true
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'STORE_CORRUPT') return false
    throw error
  }
}
