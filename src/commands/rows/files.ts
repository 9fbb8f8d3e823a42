import { existsSync } from 'node:fs'
import { isAbsolute, relative, resolve } from 'node:path'
import { type Command, stopCode, untilStopped } from '../../app/context.ts'
import { counted } from '../../common/counted.ts'
import { ArchiverError } from '../../errors.ts'
import { identity, startTicks } from '../../platform/host.ts'
import { ArchiveFolder, urlOf, type ArchiveFiles } from '../../rows/archive-files/archive-folder.ts'
import { archivedRows } from '../../rows/archive-files/exact-rows.ts'
import { removeUnnamed } from '../../rows/archive-files/pending-files.ts'
import { beginRestore, restoreRows } from '../../rows/archive-files/restore-files.ts'
import { formatOf } from '../../rows/archive-files/row-lines.ts'
import { verifyFiles } from '../../rows/archive-files/verify-files.ts'
import { holderOf } from '../../rows/dead-runs.ts'
import { sleep } from '../../rows/options.ts'
import { filesPair } from '../../rows/preflight/archive-files.ts'
import { FORCEABLE } from '../../rows/preflight/problem.ts'
import { restorePreflight } from '../../rows/preflight/restore.ts'
import { acquireTableLock } from '../../rows/run-lock.ts'
import { rowsError } from '../../rows/server-errors.ts'
import { dialectFor } from '../../rows/server.ts'
import { fullNameOf } from '../../rows/table.ts'
import { withLog, type OpenLog } from './log-of.ts'
import { documentText } from './row-json.ts'
import { archiveFilesOf } from './rows-config.ts'

/** `rows verify` where the archive is a folder of files: reads each of them. Returns 1 where one is missing or damaged. Changes nothing. */
export const rowsVerifyFiles = untilStopped<{ readonly config: string; readonly json?: boolean }>(
  ({ config: file, json }, context) =>
    withLog(file, context, async ({ config, table, log }) => {
      const files = filesOf(archiveFilesOf(config))
      const name = fullNameOf(table)
      const folder = new ArchiveFolder(files, name)
      const found = await verifyFiles(folder, log, name, urlOf(files))
      if (found.files + found.troubles.length === 0 && !existsSync(files.folder))
        throw new ArchiverError('NOT_FOUND', `${files.folder} is not there: nothing was compared`, {
          hint: 'mount the disk of the archive, or name its folder in rows.archive.url',
        })
      if (json) context.out(documentText(found))
      else {
        context.out(
          `as they were written: ${counted(found.files, 'archive file')} with ${counted(found.rows, 'row')}\n`,
        )
        const notes: readonly (readonly [readonly string[], string])[] = [
          [found.waiting, 'waiting for the next run to give it its place'],
          [
            found.unnamed,
            'pending without a batch: run-archiver rows cleanup removes it where its rows stayed live',
          ],
          [found.unlogged, 'named by no batch of the log tables'],
        ]
        for (const [some, text] of notes)
          if (some.length > 0) context.out(`  ${counted(some.length, 'file')} ${text}\n`)
        for (const { file: one, message } of found.troubles) context.err(`${one}: ${message}\n`)
      }
      return found.troubles.length === 0 ? 0 : 1
    }),
)

export interface RestoreOptions {
  readonly config: string
  readonly json?: boolean
  /** Files of the archive, by their names in the log or their paths; left out: all of them. */
  readonly archiveFile?: readonly string[]
}

/** `rows restore`: rows of archive files go back to the live table, file by file. Returns 1 where a live row differs. The files stay. */
export const rowsRestore: Command<RestoreOptions> = (options, context) =>
  withLog(options.config, context, async (open) => {
    const { config, connections, table } = open
    const { source } = connections
    const dialect = dialectFor(source)
    const files = filesOf(archiveFilesOf(config))
    const folder = new ArchiveFolder(files, fullNameOf(table))
    const forced = new Set(FORCEABLE.filter((name) => context.argv.includes(`--force-${name}`)))
    const pair = await restorePreflight({
      source,
      dialect,
      table,
      files,
      forced,
    })
    if (!(await folder.isThere()))
      throw new ArchiverError('NOT_FOUND', `${folder.path} is not there: nothing was restored`, {
        hint: 'mount the disk of the archive, or name its folder in rows.archive.url',
      })
    await takeLock(open)
    await beginRestore(source)
    const names = options.archiveFile?.map((name) => nameIn(folder, name)) ?? (await placedOf(folder))
    let [taken, restored, alreadyLive] = [0, 0, 0]
    const differing: string[] = []
    for (const name of names) {
      if (context.signal.aborted) break
      try {
        const content = await folder.content(name)
        if (!content) throw new ArchiverError('NOT_FOUND', `there is no file ${name} in ${folder.path}`)
        const done = await restoreRows(
          source,
          dialect,
          pair,
          archivedRows(formatOf(name), dialect, pair, content),
        )
        taken += 1
        restored += done.restored
        alreadyLive += done.alreadyLive
        for (const key of done.differing) {
          differing.push(key.join(', '))
          context.err(`${name}: the live row ${key.join(', ')} has other values; it stays\n`)
        }
      } catch (error) {
        throw rowsError(error, name)
      }
    }
    const done = { files: taken, restored, alreadyLive, differing }
    if (options.json) context.out(documentText(done))
    else {
      context.out(
        `${counted(restored, 'row')} restored from ${counted(taken, 'file')}, ${alreadyLive} were live already, ${differing.length} are live with other values\n`,
      )
      if (restored > 0) context.out(`  ${againHint(config.rows.where)}\n`)
    }
    if (taken < names.length) return stopCode(context.signal)
    return differing.length === 0 ? 0 : 1
  })

/** How restored rows are moved once more. Who restores them wants them live: the list that moved them does not take them away again by itself. */
const againHint = (where: string | undefined): string =>
  where === undefined
    ? 'their lists count as finished, so that they stay live; to move them again, run the list with an empty line more at its end'
    : 'the next run moves those again for which rows.where holds'

/** For `rows cleanup`: what was done, for people, and the archive, as the log names it, whose committed files are sure to have their place. */
interface Cleaned {
  readonly text: string
  readonly archive: string | undefined
}

/** For `rows cleanup`: committed files get their place, and pending files that no batch names go once their rows are found live. */
export const cleanFiles = async (open: OpenLog): Promise<Cleaned> => {
  const files = archiveFilesOf(open.config)
  if (!files) return { text: '', archive: undefined }
  const { source } = open.connections
  const dialect = dialectFor(source)
  const folder = new ArchiveFolder(files, fullNameOf(open.table))
  if (!(await folder.isThere())) return { text: '', archive: undefined }
  const pending = await folder.pending()
  if (pending.length === 0) return { text: '', archive: urlOf(files) }
  const busy = await takeLock(open).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (busy instanceof ArchiverError)
    return { text: `pending files are left for another time: ${busy.message}\n`, archive: undefined }
  if (busy !== undefined) throw rowsError(busy, 'lock')
  const { pair } = filesPair(open.table, files, source)
  const { removed, kept } = await removeUnnamed(folder, open.log, { source, dialect, pair })
  const left = kept.map(
    (name) => `${folder.pendingPath(name)} stays: not all of its rows are live as it has them\n`,
  )
  const text = `${counted(removed, 'pending file')} removed, whose rows are live\n${left.join('')}`
  return { text, archive: urlOf(files) }
}

/** Nobody moves rows of the table meanwhile. Throws LOCK_HELD. */
const takeLock = ({ connections, table, log }: OpenLog): Promise<void> => {
  const { host, bootId } = identity()
  const here = { host, bootId, startTicksOf: startTicks }
  return acquireTableLock(connections.source, table, {
    holder: () => holderOf(log, fullNameOf(table), here),
    sleep: (ms) => sleep(ms),
  })
}

const filesOf = (files: ArchiveFiles | undefined): ArchiveFiles => {
  if (files) return files
  throw new ArchiverError('USAGE', 'the archive is a table, not a folder of files', {
    hint: 'rows.archive.url: file:///folder names one',
  })
}

const placedOf = async (folder: ArchiveFolder): Promise<readonly string[]> => {
  const names: string[] = []
  for await (const name of folder.placed()) names.push(name)
  return names.toSorted((a, b) => byNumbers.compare(b, a))
}

/** Executions and batches by their numbers. The newest come first: of a row that was moved more than once its last version comes back. */
const byNumbers = new Intl.Collator('en', { numeric: true })

const nameIn = (folder: ArchiveFolder, name: string): string => {
  const path = resolve(name)
  const isPath = path.startsWith(`${folder.path}/`) && (isAbsolute(name) || existsSync(path))
  return isPath ? relative(folder.path, path) : name
}
