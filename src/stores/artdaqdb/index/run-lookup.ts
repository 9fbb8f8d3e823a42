import { join } from 'node:path'
import { calls } from '../../../platform/fs-calls.ts'
import { READING } from '../../../platform/read-file.ts'
import type { IndexFacts } from '../../store.ts'
import { type Section, SECTIONS } from '../../index-data.ts'
import { IndexLines } from '../format/index-lines.ts'
import { CollectionIndex } from '../format/search-index.ts'
import { type Collection, INDEX } from './collection.ts'

/** Bytes that are read at a time. */
const PIECE = 1 << 20
/** A section's heading, and the beginning of a name, are shorter. */
const LONGEST = 64
const START = '{\n"ouid" : [\n'
const END = '\n}'

/** Bytes of an index that is read whole, and held. */
const SMALL = 4_000_000

/** What the index of a collection says of a run: the index itself where it is held, or small (`small`: bytes), else `lookUpRun`. */
export async function indexOfRun(
  collection: Collection,
  run: number,
  small = SMALL,
): Promise<CollectionIndex> {
  const key = await collection.indexKey()
  const path = join(collection.path, INDEX)
  const isRead = key === '' || collection.heldKey === key || (await calls.statPath(path)).size < small
  const found = isRead ? undefined : await lookUpRun(path, run)
  return found ?? (await collection.index()).index
}

/**
 * What an index file in artdaq's own layout says of one run, found without holding the rest: for who asks about a run now and then. The index of a
 * hundred thousand runs takes a second and 100 MB to be read whole. Has the run's versions, configurations, their times and its number; entities
 * and aliases are left out. An index without the run is empty. Undefined where the file has another layout: then it is read whole. Damage elsewhere in the file
 * is not noticed. Throws the system's errors. `piece`: bytes to read at a time.
 */
export async function lookUpRun(
  path: string,
  run: number,
  piece = PIECE,
): Promise<CollectionIndex | undefined> {
  const file = await calls.open(path, READING)
  try {
    const found = await search(file, run, piece)
    return found && indexOf(found)
  } finally {
    calls.close(file)
  }
}

/** By section: the names of the run, each with its list. */
type Found = Readonly<Record<Section, Map<string, readonly string[]>>>

async function search(file: number, run: number, piece: number): Promise<Found | undefined> {
  const size = Number((await calls.stat(file)).size)
  if (!(await reads(file, START, 0)) || !(await reads(file, END, size - END.length))) return undefined
  const found: Record<Section, Map<string, readonly string[]>> = emptyFound()
  const names = [Buffer.from(`\n"${run}/`), Buffer.from(`\n"${run}" : [\n`)]
  let section = -1
  const window = Buffer.allocUnsafe(piece + LONGEST)
  for (let base = 0; base < size; base += piece) {
    const bytes = await readAt(file, window, base)
    // What begins in the last bytes is found in the next piece, which has all of it.
    for (const place of placesIn(bytes, section + 1, names).filter(({ at }) => at < piece)) {
      if (place.isHeading) {
        section++
        continue
      }
      const name = SECTIONS[section]
      const list = name && (await listAt(file, base + place.at + 1))
      if (!list || found[name].has(list.name)) return undefined
      found[name].set(list.name, list.items)
    }
  }
  return section === SECTIONS.length - 1 ? found : undefined
}

const emptyFound = (): Record<Section, Map<string, readonly string[]>> => ({
  version: new Map(),
  'configurations.name': new Map(),
  'entities.name': new Map(),
  'aliases.active.name': new Map(),
  'runs.name': new Map(),
  'configurations.assigned': new Map(),
})

interface FoundPlace {
  readonly at: number
  /** A section's, else the name of a list. */
  readonly isHeading: boolean
}

/** Headings of sections, from the next one on, and names of the run, in the order in which they stand. */
function placesIn(bytes: Buffer, next: number, names: readonly Buffer[]): readonly FoundPlace[] {
  const places: FoundPlace[] = []
  for (const section of SECTIONS.slice(next)) {
    const at = bytes.indexOf(`,\n"${section}" : {\n`, places.at(-1)?.at ?? 0, 'latin1')
    if (at < 0) break
    places.push({ at, isHeading: true })
  }
  for (const name of names)
    for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + 1))
      places.push({ at, isHeading: false })
  return places.sort((a, b) => a.at - b.at)
}

interface NamedList {
  readonly name: string
  readonly items: readonly string[]
}

/** The name and the list that stand at a place; undefined where neither artdaq nor this program would have written them so. */
async function listAt(file: number, at: number): Promise<NamedList | undefined> {
  for (let most = 1 << 12; ; most *= 4) {
    const bytes = await readAt(file, Buffer.allocUnsafe(most), at)
    const lines = new IndexLines(bytes)
    const items: string[] = []
    const name = lines.name()
    if (name !== undefined && lines.list((from, to) => items.push(bytes.toString('latin1', from, to))))
      return { name, items }
    if (bytes.length < most) return undefined
  }
}

async function reads(file: number, text: string, at: number): Promise<boolean> {
  return (await readAt(file, Buffer.allocUnsafe(text.length), at)).toString('latin1') === text
}

/** Fills a buffer from a place on; less at the file's end. */
async function readAt(file: number, buffer: Buffer, at: number): Promise<Buffer> {
  let filled = 0
  while (filled < buffer.length) {
    const bytes = await calls.read(file, buffer, filled, buffer.length - filled, at + filled)
    if (bytes === 0) break
    filled += bytes
  }
  return buffer.subarray(0, filled)
}

/** Undefined where a document of the run has no version among those of the run: another program's, which only the whole index names. */
function indexOf(found: Found): CollectionIndex | undefined {
  const versions = new Map<string, string>()
  for (const [version, oids] of found.version) for (const oid of oids) versions.set(oid, version)
  const facts = new Map<string, IndexFacts>()
  const of = (oid: string, more: Partial<IndexFacts>): void => {
    const before = facts.get(oid) ?? { oid, version: versions.get(oid) ?? '', ...NOTHING }
    facts.set(oid, {
      ...before,
      configurations: [...before.configurations, ...(more.configurations ?? [])],
      runs: [...before.runs, ...(more.runs ?? [])],
    })
  }
  for (const [name, oids] of found['configurations.name'])
    for (const oid of oids)
      for (const assigned of found['configurations.assigned'].get(name) ?? [''])
        of(oid, { configurations: [{ name, assigned }] })
  for (const [name, oids] of found['runs.name']) for (const oid of oids) of(oid, { runs: [name] })
  if ([...facts.keys()].some((oid) => !versions.has(oid))) return undefined
  return CollectionIndex.EMPTY.plus(facts.values())
}

const NOTHING = { configurations: [], entities: [], aliases: [], runs: [] }
