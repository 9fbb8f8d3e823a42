import { createHash } from 'node:crypto'
import type { DocumentStore, Listing, SourceListing } from '../stores/store.ts'
import { RunSet } from '../common/run-set.ts'
import { replaceFile } from '../platform/atomic-file.ts'
import { readText } from '../platform/read-file.ts'

/** A directory's times move in steps of a kernel tick. What stayed equal for longer than one can be distinguished from a later change. */
const TICK = 20

interface Entry {
  readonly fingerprint: string
  readonly listing: unknown
}

/** Something that can be listed, and knows cheaply whether a listing is still true. */
export interface Listed<L> {
  list(): Promise<L>
  fingerprint(): Promise<string | undefined>
}

/** artdaqDB as a pass lists it: its older databases are as they were listed, while their fingerprints are the same. */
export const passListing = (store: DocumentStore): Listed<Listing> => ({
  list: () => store.listRemembered?.() ?? store.list(),
  fingerprint: () => store.fingerprint(),
})

/**
 * Remembers listings between passes, so that an idle pass over a million runs costs three stats and no listing. A cache in the
 * strict sense: an entry is used only while its store's fingerprint is the same text, and losing or damaging the file costs one listing: its
 * first line is the digest of the others.
 */
export class ListingCache {
  readonly #path: string
  readonly #monotonic: () => number
  readonly #taken = new Map<string, number>()
  #entries: Map<string, Entry> | undefined
  #changed = false

  /** `monotonic`: milliseconds, for how long a listing takes. */
  constructor(path: string, monotonic: () => number) {
    this.#path = path
    this.#monotonic = monotonic
  }

  /** How long each listing took that was taken anew, in milliseconds, by name. */
  get taken(): ReadonlyMap<string, number> {
    return this.#taken
  }

  /** The listing of a store under a name, from the cache where nothing has changed since it was taken. */
  async list<L extends Listing | SourceListing>(name: string, store: Listed<L>): Promise<L> {
    const entries = await this.#load()
    const before = await store.fingerprint()
    const known = entries.get(name)
    if (known && known.fingerprint === before) return revive(known.listing) as L
    entries.delete(name)
    this.#changed = true
    if (before !== undefined) await new Promise((resolve) => setTimeout(resolve, TICK))
    const quiet = before !== undefined && (await store.fingerprint()) === before
    const began = this.#monotonic()
    const listing = await store.list()
    this.#taken.set(name, this.#monotonic() - began)
    if (quiet) entries.set(name, { fingerprint: before, listing: flatten(listing) })
    return listing
  }

  /** Whether a listing was taken anew since the cache was read. */
  get isChanged(): boolean {
    return this.#changed
  }

  /** Writes what changed. Only for the holder of the lock. */
  async save(): Promise<void> {
    if (!this.#changed || !this.#entries) return
    const text = JSON.stringify({ version: 2, entries: Object.fromEntries(this.#entries) })
    await replaceFile(this.#path, `${digestOf(text)}\n${text}`)
    this.#changed = false
  }

  async #load(): Promise<Map<string, Entry>> {
    return (this.#entries ??= await readEntries(this.#path))
  }
}

const readEntries = async (path: string): Promise<Map<string, Entry>> => {
  try {
    const file = await readText(path)
    const text = file.slice(file.indexOf('\n') + 1)
    if (file !== `${digestOf(text)}\n${text}`) return new Map()
    const { version, entries } = JSON.parse(text) as { version: number; entries: Record<string, Entry> }
    return new Map(version === 2 ? Object.entries(entries) : [])
  } catch {
    return new Map() // absent or damaged: listings are taken anew
  }
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Run sets become their texts, maps their pairs. */
const flatten = (listing: Listing | SourceListing): unknown =>
  Object.fromEntries(
    Object.entries(listing).map(([key, value]: [string, unknown]) =>
      value instanceof RunSet
        ? [key, { runs: value.toString() }]
        : value instanceof Map
          ? [key, { pairs: [...value] }]
          : [key, value],
    ),
  )

const revive = (flat: unknown): unknown =>
  Object.fromEntries(
    Object.entries(flat as Record<string, { runs?: string; pairs?: [number, number][] }>).map(
      ([key, value]) => {
        if (value.runs !== undefined)
          return [key, value.runs === '' ? RunSet.EMPTY : RunSet.parse(value.runs)]
        return [key, value.pairs ? new Map(value.pairs) : value]
      },
    ),
  )
