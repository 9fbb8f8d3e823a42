import { NO_METADATA, parseMetadata } from './metadata-file.ts'
import type { RecordFile, RunRecord, SkippedEntry } from '../run-record.ts'
import type { ReadOptions } from '../store.ts'
import { ArchiverError } from '../../errors.ts'
import { readWhole } from './read-file.ts'
import { signatureOf } from './signature.ts'
import { isSameWalk, walk, type WalkedEntry } from './walk.ts'

export interface ReadLimits extends ReadOptions {
  readonly maxRecordBytes: number
  readonly maxRecordFiles: number
  readonly signal: Pick<AbortSignal, 'throwIfAborted'>
}

const AT_ONCE = 8

/**
 * Reads one record whole: looks at everything, reads the regular files, looks at everything again. Throws RECORD_CHANGING when
 * the two looks differ, RECORD_INVALID when it is too large (nothing is read then), and errors of the system. The second look is left out where
 * `isExpected` takes what was read.
 */
export const readRecord = async (
  run: number,
  path: Buffer,
  directory: string,
  { maxRecordBytes, maxRecordFiles, most = Infinity, isExpected, signal }: ReadLimits,
): Promise<RunRecord> => {
  const limits = { maxFiles: maxRecordFiles, signal }
  const before = await walk(path, limits)
  const toRead = before.entries.filter(isFile)
  const bytes = bytesOf(toRead)
  if (bytes > BigInt(maxRecordBytes)) throw tooLarge(bytes, maxRecordBytes, toRead)
  if (Number(bytes) > most)
    throw new ArchiverError('RECORD_CHANGING', 'the record has grown since it was looked at')

  const files: RecordFile[] = []
  for (let i = 0; i < toRead.length; i += AT_ONCE) {
    signal.throwIfAborted()
    files.push(...(await Promise.all(toRead.slice(i, i + AT_ONCE).map(readOne))))
  }
  const metadata = files.find(({ name }) => name === 'metadata.txt')
  const record: RunRecord = {
    run,
    directory,
    directoryMode: modeOf(before.root.mode),
    files,
    ...othersOf(before.entries),
    ended: (metadata ? parseMetadata(metadata.content) : NO_METADATA).ended,
    signature: signatureOf(before),
  }
  if (!isExpected?.(record) && !isSameWalk(before, await walk(path, limits)))
    throw new ArchiverError('RECORD_CHANGING', 'the record changed while it was read')
  return record
}

const isFile = ({ kind }: WalkedEntry): boolean => kind === 'file'

const bytesOf = (entries: readonly WalkedEntry[]): bigint => {
  let bytes = 0n
  for (const { stats } of entries) bytes += stats.size
  return bytes
}

/** What is in a record besides files. */
const othersOf = (entries: readonly WalkedEntry[]): Pick<RunRecord, 'folders' | 'skipped'> => {
  const folders: RunRecord['folders'][number][] = []
  const skipped: SkippedEntry[] = []
  for (const { name, kind, stats } of entries)
    if (kind === 'folder') folders.push({ name, mode: modeOf(stats.mode) })
    else if (kind !== 'file') skipped.push({ name, kind })
  return { folders, skipped }
}

const readOne = async (entry: WalkedEntry): Promise<RecordFile> => {
  try {
    return { name: entry.name, mode: modeOf(entry.stats.mode), content: await readWhole(entry) }
  } catch (error) {
    // The system names a path in text, in which a name that is not UTF-8 cannot be given.
    if (error instanceof Error && 'path' in error) error.message += ` (${entry.name})`
    throw error
  }
}

const modeOf = (mode: bigint): number => Number(mode & 0o7777n)

const tooLarge = (bytes: bigint, most: number, files: readonly WalkedEntry[]): ArchiverError => {
  const largest = files.reduce((a, b) => (a.stats.size >= b.stats.size ? a : b))
  const text = `the record is too large: ${bytes} bytes of ${most}, of which ${largest.name} has ${largest.stats.size}`
  return new ArchiverError('RECORD_INVALID', text, {
    hint: 'Raise source_files.max_record_mb, or take out of the record what does not belong there.',
  })
}
