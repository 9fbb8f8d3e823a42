import { createHash } from 'node:crypto'
import { ArchiverError } from '../../errors.ts'
import { RunSet } from '../../common/run-set.ts'
import type { RecordFile, StoredRun } from '../run-record.ts'
import type { Finding } from './check.ts'
import type { Database } from './index/database.ts'
import { listDatabase } from './index/list-runs.ts'
import { readRun } from './read/read-run.ts'

/**
 * Runs that count in several databases, oldest first, and not with the same content: readers are given that of the newest, and programs that ask
 * an older one get something else. The same run with the same content is no harm: a move that was cut short leaves it so. Reads only.
 */
export async function checkTwice(
  databases: readonly Database[],
  unfinished: ReadonlySet<string>,
): Promise<readonly Finding[]> {
  if (databases.length < 2) return []
  const findings: Finding[] = []
  const newer: { readonly database: Database; readonly runs: RunSet }[] = []
  for (const database of databases.toReversed()) {
    const { runs } = await listDatabase(database, unfinished)
    for (const other of newer)
      for (const run of runs.intersect(other.runs)) {
        const [mine, theirs] = [await contentOf(database, run), await contentOf(other.database, run)]
        if (mine === undefined || theirs === undefined || mine === theirs) continue
        const { path } = database
        const message = `run ${run} is also in ${other.database.path}, with other content; readers are given that`
        findings.push({ kind: 'duplicate', path, run, message })
      }
    newer.push({ database, runs })
  }
  return findings
}

/** The digest of all that a reader can be given of a run; undefined where it is damaged, which the check of its database finds. */
async function contentOf(database: Database, run: number): Promise<string | undefined> {
  try {
    return digestOf(await readRun(database, run))
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'STORE_CORRUPT') return undefined
    throw error
  }
}

const digestOf = ({ documents, attached, manifest }: StoredRun): string => {
  const hash = createHash('sha256')
  const add = (...parts: readonly (string | number | Buffer)[]): void => {
    for (const part of parts) {
      const bytes = Buffer.isBuffer(part) ? part : Buffer.from(String(part))
      hash.update(`${bytes.length}:`).update(bytes)
    }
  }
  const addFile = ({ name, mode, content }: RecordFile): void => add(name, mode, content)
  for (const document of [...documents].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))) {
    add(nameOf(document), document.canonical(), document.text)
    if (document.original) addFile(document.original)
  }
  attached.forEach(addFile)
  if (manifest)
    add(JSON.stringify([manifest.directory, manifest.directoryMode, manifest.files, manifest.folders]))
  return hash.digest('hex')
}

const nameOf = ({ collection, entity }: StoredRun['documents'][number]): string => `${collection}/${entity}`
