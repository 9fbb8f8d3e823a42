import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Listing } from '../../store.ts'
import { TICK_MS } from '../../../common/file-times.ts'
import { errnoOf } from '../../../errors.ts'
import { whenFilesAllow } from '../../../platform/open-files.ts'
import { isOfOneFile, readText } from '../../../platform/read-file.ts'
import { parseChecksum } from '../checksum-file.ts'
import { type FolderState, isKeepable, isSettled, type KeptShards } from './kept-shards.ts'
import { BLOB, CHECKSUM, isShard } from './layout.ts'
import { type ShardNames, sortNames, tallyShard } from './shard-names.ts'
import { KeyTally, parseKey } from '../keys.ts'

const namesIn = whenFilesAllow((folder: string) => readdir(folder))

/** How many folders are read at once. */
const READERS = 4
/** In how many of the folders that changed last each blob's size is compared: there a crash can have left a cut one. */
const CHECKED = 2
/** Of the shards that are kept, one of so many is read again each time: what is kept and wrong does not stay. */
const ROUND = 32

/**
 * What an object's folder holds. A blob counts as whole when its checksum file is there; sizes are compared where writes
 * happened last, because to look at each of a million blobs would take longer than everything else in an idle pass.
 * Contents are compared by `get`, that is by `verify`. Throws the system's errors; creates and changes nothing.
 */
export async function listObject(objectFolder: string): Promise<Listing> {
  const shards = await shardsOf(objectFolder)
  return listingOf(objectFolder, shards, await readShards(objectFolder, shards, shards))
}

/**
 * As `listObject`, but of shards whose folders are as they were, what is kept counts; of sizes nothing is. `now`: epoch milliseconds. Returns what to keep for
 * the next time: of the shards that were not read what was kept, of others what is sure to be of the folder as it was looked at.
 */
export async function listSince(
  objectFolder: string,
  kept: KeptShards,
  now: () => number,
): Promise<{ readonly listing: Listing; readonly kept: KeptShards }> {
  const shards = await shardsOf(objectFolder)
  const isKept = new Set(
    shards.filter(({ name, key }) => kept.get(name)?.key === key).map(({ name }) => name),
  )
  const known = [...kept].filter(([name]) => isKept.has(name))
  const rest = new Map(known.slice(Math.ceil(known.length / ROUND)))
  for (const { name } of lastChanged(shards)) rest.delete(name)
  const toRead = shards.filter(({ name }) => !rest.has(name))
  if (toRead.length > 0) await sleep(TICK_MS)
  const read = await readShards(objectFolder, shards, toRead)
  const keep = new Map(rest)
  for (const shard of toRead) {
    const found = read.get(shard.name)
    if (found && isSettled(shard, found.before, now()) && isKeepable(found.names))
      keep.set(shard.name, { ...found.names, key: shard.key })
  }
  const found = new Map<string, Found>(read)
  for (const [name, names] of rest) found.set(name, { names, wrongSize: NONE })
  return { listing: await listingOf(objectFolder, shards, found), kept: keep }
}

interface Found {
  readonly names: ShardNames
  readonly wrongSize: ReadonlySet<string>
}

const NONE: ReadonlySet<string> = new Set()

/** The shards that changed last. */
const lastChanged = (shards: readonly Shard[]): readonly Shard[] =>
  [...shards].sort((a, b) => Number(b.modified - a.modified)).slice(0, CHECKED)

/** Reads the names of some of an object's shards. `before`: a folder as it was just before its names were read. */
async function readShards(
  objectFolder: string,
  shards: readonly Shard[],
  toRead: readonly Shard[],
): Promise<ReadonlyMap<string, Found & { readonly before: FolderState | undefined }>> {
  const found = new Map<string, Found & { readonly before: FolderState | undefined }>()
  const recent = new Set(lastChanged(shards))
  const queue = toRead.values()
  const reader = async (): Promise<void> => {
    for (const shard of queue) {
      const folder = join(objectFolder, shard.name)
      const before = await folderAt(folder)
      const names = await namesIn(folder)
      const wrongSize = recent.has(shard) ? await wrongSizes(folder, names) : NONE
      found.set(shard.name, { before, names: sortNames(shard.name, names), wrongSize })
    }
  }
  await Promise.all(Array.from({ length: READERS }, reader))
  return found
}

/** The listing of a whole object from what was found in each shard. */
async function listingOf(
  objectFolder: string,
  shards: readonly Shard[],
  found: ReadonlyMap<string, Found>,
): Promise<Listing> {
  const tally = new KeyTally()
  const damaged: string[] = []
  const misplaced = await otherFolders(objectFolder)
  for (const { name } of shards) {
    const one = found.get(name)
    if (one) tallyShard(name, one.names, one.wrongSize, tally, { damaged, misplaced })
  }
  return { ...tally.listing([...damagedNote(damaged), ...misplacedNote(misplaced)]), misplaced }
}

/** Text that changes whenever a blob comes or goes: names and keys of all folders; and the newest of their change times, in nanoseconds. */
export async function fingerprintObject(objectFolder: string): Promise<{ text: string; newest: bigint }> {
  const shards = await shardsOf(objectFolder)
  const newest = shards.reduce((most, { changed }) => (changed > most ? changed : most), 0n)
  return { text: shards.map(({ name, key }) => `${name}:${key}`).join(' '), newest }
}

/** The folders whose times show every change of what is archived. */
export const foldersOf = async (objectFolder: string): Promise<readonly string[]> => [
  objectFolder,
  ...(await shardsOf(objectFolder)).map(({ name }) => join(objectFolder, name)),
]

/** What stands in an object's folder and is none of its shards: copies of them, or a link that leads nowhere in the place of one. */
const otherFolders = async (objectFolder: string): Promise<string[]> => {
  const found: string[] = []
  for (const entry of await readdir(objectFolder, { withFileTypes: true })) {
    const isFolder =
      entry.isDirectory() || (await stat(join(objectFolder, entry.name)).catch(gone))?.isDirectory()
    if (isShard(entry.name) !== (isFolder ?? false)) found.push(entry.name)
  }
  return found
}

interface Shard extends FolderState {
  readonly name: string
  /** Nanoseconds since the epoch. */
  readonly modified: bigint
}

async function shardsOf(objectFolder: string): Promise<Shard[]> {
  const names = (await readdir(objectFolder)).filter(isShard).sort()
  const shards = await Promise.all(
    names.map(async (name) => {
      const found = await folderAt(join(objectFolder, name))
      return found ? [{ name, ...found }] : []
    }),
  )
  return shards.flat()
}

/** The state of a folder; undefined where there is no folder. Its key holds the change time, too: who sets the modification time back moves that. */
async function folderAt(path: string): Promise<Omit<Shard, 'name'> | undefined> {
  const found = await stat(path, { bigint: true }).catch(gone)
  if (!found?.isDirectory()) return undefined
  const { ino, size, mtimeNs, ctimeNs } = found
  return {
    key: [ino, size, mtimeNs, ctimeNs].join(':'),
    modified: mtimeNs,
    changed: ctimeNs,
  }
}

/** The keys whose blob has another size than its checksum file says, or whose checksum file cannot be read. */
async function wrongSizes(folder: string, names: readonly string[]): Promise<Set<string>> {
  const wrong = new Set<string>()
  const queue = names.values()
  const reader = async (): Promise<void> => {
    for (const name of queue) {
      const key = name.slice(0, -BLOB.length)
      if (!name.endsWith(BLOB) || !parseKey(key)) continue
      const recorded = await readText(join(folder, `${key}${CHECKSUM}`)).catch(absent)
      if (recorded === undefined) continue // no checksum at all: counted as such
      const found = await stat(join(folder, name)).catch(gone)
      if (!found?.isFile() || parseChecksum(recorded)?.size !== found.size) wrong.add(key)
    }
  }
  await Promise.all(Array.from({ length: READERS }, reader))
  return wrong
}

/** What is there and cannot be read is no checksum: empty text. */
const absent = (error: unknown): string | undefined => {
  if (errnoOf(error) === 'ENOENT') return undefined
  if (isOfOneFile(error)) return ''
  throw error
}

/** Of a link that leads nowhere, or to itself, nothing is there. To be refused a look says something of the folder above. */
const gone = (error: unknown): undefined => {
  if (['ENOENT', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined
  throw error
}

const misplacedNote = (misplaced: readonly string[]): string[] =>
  misplaced.length === 0
    ? []
    : [
        `In the archive where no reader looks for it (${misplaced.length}): ${misplaced.slice(0, 5).join(', ')}.`,
      ]

const damagedNote = (damaged: readonly string[]): string[] =>
  damaged.length === 0
    ? []
    : [
        `Set aside in the archive because it was damaged (${damaged.length}): ${damaged.slice(0, 5).join(', ')}.`,
      ]
