import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { never, openDb } from '../runs.ts'
import type { RunDocuments } from '../../../../src/stores/run-record.ts'

/** A folder of the test, and the database in it that it may make. */
export let folder: string
export let path: string
/** Gives each test of the file that calls it a folder of its own. */
export const folderForEachTest = (): void => {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
    path = join(folder, 'db')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
}

/** The names of a collection's documents. */
export const documents = (collection: string): readonly string[] =>
  readdirSync(join(path, collection)).filter((name) => name !== 'index.json')

/** The file of an entity's document. */
export const documentOf = (entity: string, version = '/standard00001"'): string =>
  documents('RunHistory')
    .map((name) => join(path, 'RunHistory', name))
    .find((file) => {
      const text = readFileSync(file, 'utf8')
      return text.includes(`"entities" : [\n{\n"name" : "${entity}"`) && text.includes(version)
    })!

/** What the database lists, as text. */
export const listing = async () => {
  const { runs, incomplete, updates } = await openDb(path).list()
  return { runs: runs.toString(), incomplete: incomplete.toString(), updates: [...updates] }
}

/** Puts a run and commits it: what the put came to. */
export const put = async (run: RunDocuments): Promise<string> => {
  const db = openDb(path)
  const result = await db.put(run, never)
  await db.commit()
  return result
}
