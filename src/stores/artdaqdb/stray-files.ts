import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../../errors.ts'
import { readText } from '../../platform/read-file.ts'
import { INDEX } from './index/collection.ts'
import { HIDDEN } from './index/database.ts'

/** Something that stands where no document is looked for, or is none. */
export interface Stray {
  readonly path: string
  readonly message: string
}

/** What stands in a collection and is no document. */
export const strayFiles = async (collection: string): Promise<readonly Stray[]> => {
  const entries = await readdir(collection, { withFileTypes: true })
  return entries
    .filter((entry) => !entry.isFile() || !entry.name.endsWith('.json'))
    .map((entry) => ({
      path: join(collection, entry.name),
      message: "artdaq's rebuild would take it for a document",
    }))
}

/**
 * Documents and collections that were copied to where neither artdaq nor this program looks for them: beside the collections, and into the folders that
 * artdaq keeps for itself. A database that is not there yet has none.
 */
export const misplaced = async (database: string): Promise<readonly Stray[]> => {
  const found: Stray[] = []
  for (const entry of await entriesOf(database)) {
    const path = join(database, entry.name)
    if (entry.isDirectory() && HIDDEN.has(entry.name)) found.push(...(await misplacedIn(path)))
    else if (entry.isFile() && /^[0-9a-f]{24}\.json$/i.test(entry.name))
      found.push({ path, message: 'a document outside of any collection' })
  }
  return found
}

const entriesOf = async (database: string): Promise<readonly Dirent[]> => {
  try {
    return await readdir(database, { withFileTypes: true })
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

const misplacedIn = async (folder: string): Promise<readonly Stray[]> => {
  const found: Stray[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    const isStray =
      entry.isDirectory() || entry.name === INDEX || (entry.isFile() && (await isDocument(path)))
    if (isStray) found.push({ path, message: `no document or collection belongs into ${folder}` })
  }
  return found
}

/** A record of artdaq's about the database names neither entities nor runs. */
const isDocument = async (path: string): Promise<boolean> =>
  /"(?:entities|runs)"/.test(await readText(path).catch(() => ''))
