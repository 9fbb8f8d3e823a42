import { join } from 'node:path'
import { makeFolder } from '../../../platform/make-folder.ts'
import { writeOver } from '../../../platform/write-over.ts'
import { ArchiverError } from '../../../errors.ts'
import { canonicalText } from '../format/canonical-export.ts'
import type { Database } from '../index/database.ts'
import { COMMIT_MARK, exportFolder } from '../names.ts'
import { chooseRun, proveRun, type Chosen } from './read-run.ts'
import { requireNoneHidden } from '../index/hidden-updates.ts'
import { openInPieces } from '../index/run-documents.ts'
import { shownName } from '../format/index-names.ts'

/** A file that bulkdownloader would write. */
export interface ExportedFile {
  /** Below the target, `/` between folders. */
  readonly path: string
  readonly text: string
}

/**
 * What bulkdownloader writes of a run: SystemLayout into the folder itself, all else below the
 * configuration's name without its last digits. Throws NOT_FOUND, or STORE_CORRUPT naming the document that cannot be exported.
 */
export async function exportedFiles(database: Database, run: number): Promise<readonly ExportedFile[]> {
  const { configuration, documents } = await chooseRun(database, run, openInPieces)
  const { manifest } = proveRun(documents, run)
  await requireNoneHidden(database, run, manifest !== undefined)
  const below = exportFolder(shownName(configuration.slice(configuration.indexOf('/') + 1)))
  return documents.map((document) => ({
    path: pathOf(document, below, run),
    text: canonicalText(document.stored),
  }))
}

/**
 * Writes them below a directory, over what is there, as bulkdownloader does. A link in a file's place is not followed, a FIFO or a device not written
 * to. Throws STORE_UNAVAILABLE, with the path, for a file that cannot be written.
 */
export async function writeFiles(directory: string, files: readonly ExportedFile[]): Promise<void> {
  for (const { path, text } of files) {
    const folders = path.split('/')
    const name = folders.pop() ?? ''
    const folder = join(directory, ...folders)
    try {
      await makeFolder(folder)
      await writeOver(join(folder, name), text)
    } catch (cause) {
      throw new ArchiverError('STORE_UNAVAILABLE', `${join(folder, name)} cannot be written`, {
        cause,
        hint: 'name a directory that this user may write into, with room and without links in the way: --to DIR',
      })
    }
  }
}

/** Foreign names may hold anything; a path that would leave the directory is refused, not mended. */
function pathOf({ collection, entity }: Chosen, below: string, run: number): string {
  const file = `${shownName(entity)}.fcl`
  const path = collection === COMMIT_MARK ? file : [below.replace(/\/$/, ''), file].filter(Boolean).join('/')
  const sound = path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'))
  if (sound && !shownName(entity).includes('/')) return path
  throw new ArchiverError('STORE_CORRUPT', `run ${run}: ${JSON.stringify(path)} would leave the directory`, {
    run,
  })
}
