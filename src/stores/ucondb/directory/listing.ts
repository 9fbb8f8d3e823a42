import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Listing } from '../../store.ts'
import { errnoOf } from '../../../errors.ts'
import { whenFilesAllow } from '../../../platform/open-files.ts'
import { isOfOneFile, readText } from '../../../platform/read-file.ts'
import { parseChecksum } from '../checksum-file.ts'
import { BLOB, CHECKSUM, isShard, SHARD, shardOf } from './layout.ts'
import { KeyTally, parseKey } from '../keys.ts'

const namesIn = whenFilesAllow((folder: string) => readdir(folder))

/** How many folders are read at once. */
const READERS = 4
/** In how many of the folders that changed last each blob's size is compared: there a crash can have left a cut one. */
const CHECKED = 2

/**
 * What an object's folder holds. A blob counts as whole when its checksum file is there; sizes are compared where writes
 * happened last, because to look at each of a million blobs would take longer than everything else in an idle pass.
 * Contents are compared by `get`, that is by `verify`. Throws the system's errors; creates and changes nothing.
 */
export async function listObject(objectFolder: string): Promise<Listing> {
  const tally = new KeyTally()
  const damaged: string[] = []
  const misplaced = await otherFolders(objectFolder)
  const shards = await shardsOf(objectFolder)
  const recent = new Set([...shards].sort((a, b) => Number(b.changed - a.changed)).slice(0, CHECKED))
  const queue = shards.values()
  const reader = async (): Promise<void> => {
    for (const shard of queue) {
      const folder = join(objectFolder, shard.name)
      const names = await namesIn(folder)
      countShard(
        shard.name,
        names,
        tally,
        damaged,
        misplaced,
        recent.has(shard) ? await wrongSizes(folder, names) : new Set(),
      )
    }
  }
  await Promise.all(Array.from({ length: READERS }, reader))
  return { ...tally.listing([...damagedNote(damaged), ...misplacedNote(misplaced)]), misplaced }
}

/** Text that changes whenever a blob comes or goes: names, inodes and change times of all folders; and the newest such time. */
export async function fingerprintObject(objectFolder: string): Promise<{ text: string; newest: bigint }> {
  const shards = await shardsOf(objectFolder)
  const newest = shards.reduce((latest, { changed }) => (changed > latest ? changed : latest), 0n)
  return { text: shards.map(({ name, inode, changed }) => `${name}:${inode}:${changed}`).join(' '), newest }
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

interface Shard {
  readonly name: string
  readonly inode: string
  /** Nanoseconds since the epoch. */
  readonly changed: bigint
}

async function shardsOf(objectFolder: string): Promise<Shard[]> {
  const names = (await readdir(objectFolder)).filter(isShard).sort()
  const shards = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(objectFolder, name), { bigint: true }).catch(gone)
      return found?.isDirectory() ? [{ name, inode: found.ino.toString(), changed: found.mtimeNs }] : []
    }),
  )
  return shards.flat()
}

/**
 * Pairs blobs with checksum files by their common key. Nearly every name is a run of this folder with one of the two
 * suffixes; these are distinguished by arithmetic, because there may be two million of them.
 */
function countShard(
  shard: string,
  names: readonly string[],
  tally: KeyTally,
  damaged: string[],
  misplaced: string[],
  wrongSize: ReadonlySet<string>,
): void {
  const first = parseInt(shard, 10)
  const halves = new Uint8Array(SHARD)
  const others = new Map<string, number>()
  for (const name of names) {
    const suffix = name.endsWith(BLOB) ? BLOB : name.endsWith(CHECKSUM) ? CHECKSUM : undefined
    if (isShard(name)) misplaced.push(`${shard}/${name}`)
    if (suffix === undefined || name.startsWith('.')) continue
    const run = plainRun(name, name.length - suffix.length)
    const found = halves[run - first]
    if (found !== undefined) halves[run - first] = found + 1
    else {
      const key = name.slice(0, -suffix.length)
      if (!key.includes('.damaged-')) others.set(key, (others.get(key) ?? 0) + 1)
      else if (suffix === BLOB) damaged.push(name)
    }
  }
  for (const [index, found] of halves.entries())
    if (found > 0) tally.addRun(first + index, 0, found === 2 && !wrongSize.has(`${first + index}`))
  for (const [key, found] of others) {
    const parsed = parseKey(key)
    if (parsed && shardOf(parsed.run) === shard)
      tally.addRun(parsed.run, parsed.update, found === 2 && !wrongSize.has(key))
    else if (parsed) misplaced.push(`${shard}/${key}`)
    else tally.addForeign(`${shard}/${key}`)
  }
}

/** The run that the first characters of a name spell in plain decimal; NaN for anything else. */
const plainRun = (name: string, length: number): number => {
  let run = 0
  for (let i = 0; i < length; i++) {
    const digit = name.charCodeAt(i) - 48
    if (digit < 0 || digit > 9 || (digit === 0 && run === 0)) return NaN
    run = run * 10 + digit
  }
  return run
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

/** Of a link that leads nowhere, or to itself, nothing is there. */
const gone = (error: unknown): undefined => {
  if (errnoOf(error) === 'ENOENT' || isOfOneFile(error)) return undefined
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
