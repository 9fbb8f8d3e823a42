import type { Dirent } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunDocument, RunDocuments, StoredDocument } from '../../run-record.ts'
import { ArchiverError, errnoOf, messageOf } from '../../../errors.ts'
import { documentName } from '../format/attachments.ts'
import { canonicalOf } from '../format/canonical-export.ts'
import { exportFolder, requireSafeName } from '../names.ts'

/** Does something in a local folder that is gone afterwards. */
export async function inFolder<T>(work: (path: string) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(tmpdir(), 'run-archiver-'))
  try {
    return await work(path)
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

/**
 * Refuses what bulkloader would file under another name: it goes by file names alone, anything with
 * `schema.fcl` in it is the one document of SystemLayout. Throws RECORD_INVALID.
 */
export function requireLoadable({ run, configName, documents }: RunDocuments): void {
  requireSafeName('configuration', configName, run)
  for (const { collection, entity } of documents) {
    requireSafeName('entity', entity, run)
    const asSchema = `${entity}.fcl`.includes('schema.fcl')
    if (collection === 'SystemLayout' ? entity === 'schema' : !asSchema) continue
    throw new ArchiverError(
      'RECORD_INVALID',
      `run ${run}: bulkloader would not store ${entity} in ${collection}`,
      {
        run,
        hint: 'with use_tools: false it can be stored',
      },
    )
  }
}

/**
 * `<collection>/<entity>` and text of each file that bulkdownloader wrote; the folder of the configuration may be missing. Throws
 * STORE_UNAVAILABLE where the system does not give all of it: a run would count as one that lost documents.
 */
export async function exported(folder: string, config: string): Promise<ReadonlyMap<string, string>> {
  try {
    return await filesOf(folder, config)
  } catch (cause) {
    throw new ArchiverError(
      'STORE_UNAVAILABLE',
      `cannot read what bulkdownloader wrote: ${messageOf(cause)}`,
      { cause, hint: `Look at the disk of ${tmpdir()} (TMPDIR names another folder).` },
    )
  }
}

const filesOf = async (folder: string, config: string): Promise<ReadonlyMap<string, string>> => {
  const files = new Map<string, string>()
  const take = async (path: string, entries: readonly Dirent[]): Promise<void> => {
    for (const entry of entries) {
      if (!entry.isFile() || !entry.name.endsWith('.fcl')) continue
      const entity = entry.name.slice(0, -4)
      const collection = path === folder && entity === 'schema' ? 'SystemLayout' : 'RunHistory'
      files.set(documentName({ collection, entity }), await readFile(join(path, entry.name), 'utf8'))
    }
  }
  await take(folder, await readdir(folder, { withFileTypes: true }))
  const name = exportFolder(config)
  if (name === '') return files
  const below = join(folder, name)
  const entries = await readdir(below, { withFileTypes: true }).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  })
  await take(below, entries)
  return files
}

/** Compares what artdaqDB exports with what it should. Throws CONFLICT naming the documents that differ. */
export function requireSame(
  wanted: ReadonlyMap<string, RunDocument>,
  exported: ReadonlyMap<string, string>,
  run: number,
): void {
  const differing = [...wanted].flatMap(([name, { fhicl }]) => {
    const text = exported.get(name)
    return text === undefined || text === canonicalOf(fhicl) ? [] : [name]
  })
  if (differing.length === 0) return
  throw new ArchiverError(
    'CONFLICT',
    `run ${run}: artdaqDB holds other content for ${differing.slice(0, 5).join(', ')}`,
    { run, hint: 'only the native store (use_tools: false) can keep a changed record beside the old one' },
  )
}

/** A document as an export gives it: its text is all that is known of it. */
export function exportedDocument(name: string, text: string): StoredDocument {
  const slash = name.indexOf('/')
  return {
    collection: name.startsWith('SystemLayout/') ? 'SystemLayout' : 'RunHistory',
    entity: name.slice(slash + 1),
    fhicl: text,
    text: Buffer.from(text, 'utf8'),
    original: undefined,
    canonical: () => text,
  }
}
