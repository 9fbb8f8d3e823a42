import type { BigIntStats } from 'node:fs'
import { calls } from '../../platform/fs-calls.ts'
import { nameOf } from '../../common/file-name-encoding.ts'
import type { SkippedEntry } from '../run-record.ts'
import { ArchiverError } from '../../errors.ts'

/** One entry of a record, as its status was when it was looked at. */
export interface WalkedEntry {
  /** Path inside the record, escaped by `nameOf`. */
  readonly name: string
  /** The whole path, as bytes. */
  readonly path: Buffer
  readonly kind: 'file' | 'folder' | SkippedEntry['kind']
  readonly stats: BigIntStats
}

/** A record's directory and all that is in it, in byte order of the names. */
export interface Walk {
  readonly root: BigIntStats
  readonly entries: readonly WalkedEntry[]
}

export interface WalkLimits {
  readonly maxFiles: number
  readonly signal?: Pick<AbortSignal, 'throwIfAborted'> | undefined
}

// DAQInterface makes no folders at all. Deep enough for what people put there, and below the longest path a system takes.
const DEEPEST = 16
// Enough to keep the thread pool busy; more only holds more memory.
const AT_ONCE = 16

/** Looks at every entry of a directory, links not followed. Throws RECORD_INVALID beyond the limits, or errors of the system. */
export const walk = async (directory: Buffer, limits: WalkLimits): Promise<Walk> => {
  const root = await calls.lstat(directory)
  const entries: WalkedEntry[] = []
  await walkInto(directory, '', 0, entries, limits)
  entries.sort(byPath)
  return { root, entries }
}

const byPath = (a: WalkedEntry, b: WalkedEntry): number => Buffer.compare(a.path, b.path)

const walkInto = async (
  directory: Buffer,
  prefix: string,
  depth: number,
  entries: WalkedEntry[],
  limits: WalkLimits,
): Promise<void> => {
  const names: Buffer[] = []
  for await (const name of calls.names(directory)) {
    names.push(name)
    if (entries.length + names.length > limits.maxFiles) throw tooMany(limits.maxFiles)
  }
  const first = entries.length
  for (let i = 0; i < names.length; i += AT_ONCE) {
    limits.signal?.throwIfAborted()
    const paths: Buffer[] = []
    for (const name of names.slice(i, i + AT_ONCE)) paths.push(joined(directory, name))
    const looks = await calls.lstats(paths)
    for (const [at, stats] of looks.entries()) {
      const name = nameOf(names[i + at] ?? EMPTY)
      entries.push({ name: prefix + name, path: paths[at] ?? EMPTY, kind: kindOf(stats), stats })
    }
  }
  for (const entry of entries.slice(first)) {
    if (entry.kind !== 'folder') continue
    if (depth >= DEEPEST)
      throw new ArchiverError('RECORD_INVALID', `${entry.name} lies more than ${DEEPEST} folders deep`)
    await walkInto(entry.path, `${entry.name}/`, depth + 1, entries, limits)
  }
}

const SLASH = Buffer.from('/')
const EMPTY = Buffer.alloc(0)

const joined = (directory: Buffer, name: Buffer): Buffer => Buffer.concat([directory, SLASH, name])

const kindOf = (stats: BigIntStats): WalkedEntry['kind'] => {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'folder'
  if (stats.isSymbolicLink()) return 'link'
  if (stats.isFIFO()) return 'fifo'
  if (stats.isSocket()) return 'socket'
  return stats.isBlockDevice() || stats.isCharacterDevice() ? 'device' : 'unknown'
}

const tooMany = (most: number): ArchiverError =>
  new ArchiverError('RECORD_INVALID', `the record is too large: more than ${most} files`, {
    hint: 'Raise source_files.max_record_files, or take out of the record what does not belong there.',
  })

/** Whether an entry is the same, unchanged, at two looks: the same inode with the same times, size and mode. */
export const isUnchanged = (before: BigIntStats, after: BigIntStats): boolean =>
  before.ino === after.ino &&
  before.dev === after.dev &&
  before.size === after.size &&
  before.mtimeNs === after.mtimeNs &&
  before.ctimeNs === after.ctimeNs &&
  before.mode === after.mode

/** Whether nothing came, went or changed between two walks. */
export const isSameWalk = (before: Walk, after: Walk): boolean => {
  if (!isUnchanged(before.root, after.root) || before.entries.length !== after.entries.length) return false
  for (const [index, entry] of before.entries.entries()) {
    const other = after.entries[index]
    if (!other?.path.equals(entry.path) || !isUnchanged(entry.stats, other.stats)) return false
  }
  return true
}
