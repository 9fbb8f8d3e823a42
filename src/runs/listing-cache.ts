import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { DocumentStore, Listing, SourceListing } from '../stores/store.ts'
import { TICK_MS } from '../common/file-times.ts'
import { RunSet } from '../common/run-set.ts'
import { replaceFile } from '../platform/atomic-file.ts'
import { readText } from '../platform/read-file.ts'

interface Entry {
  readonly fingerprint: string
  readonly listing: unknown
}

/** Something that can be listed, and knows cheaply whether a listing is still true. */
export interface Listed<L> {
  list(): Promise<L>
  /** As `list`, with what it keeps of its parts (`Archive.listSince`). Missing where it has none. */
  listSince?(kept: unknown): Promise<{ readonly listing: L; readonly kept: unknown }>
  /** Takes over a listing of the cache, so that it need not list for itself what that names. */
  adopt?(listing: L, fingerprint: string): void
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
  #content: Content | undefined
  #readOf = ''
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
    const { listing, took } = await this.#list(name, store)
    if (took !== undefined) this.#taken.set(name, took)
    return listing
  }

  /** Takes a listing for later passes, where it can be known then whether it is still true, and where this is not done already. */
  async keep<L extends Listing | SourceListing>(name: string, store: Listed<L>): Promise<void> {
    if ((await store.fingerprint()) !== undefined) await this.#list(name, store)
  }

  /**
   * Takes over what another process has saved since this one read the file: of what it listed, only what it says by then. Where nothing new was saved,
   * this process keeps what it listed itself. For who reads for days and never saves.
   */
  async refresh(): Promise<void> {
    const stats = await stat(this.#path, { bigint: true }).catch(() => undefined)
    const version = stats ? `${stats.ino}:${stats.size}:${stats.mtimeNs}` : ''
    if (version === this.#readOf) return
    this.#readOf = version
    this.#content = undefined
  }

  /** Whether a listing was taken anew since the cache was read. */
  get isChanged(): boolean {
    return this.#changed
  }

  /** Writes what changed. Only for the holder of the lock. */
  async save(): Promise<void> {
    if (!this.#changed || !this.#content) return
    const { entries, parts } = this.#content
    const text = JSON.stringify({
      ...{ version: 2, entries: Object.fromEntries(entries) },
      parts: Object.fromEntries(parts),
    })
    await replaceFile(this.#path, `${digestOf(text)}\n${text}`)
    this.#changed = false
  }

  /** `took`: milliseconds; undefined where the listing was in the cache. */
  async #list<L extends Listing | SourceListing>(
    name: string,
    store: Listed<L>,
  ): Promise<{ readonly listing: L; readonly took: number | undefined }> {
    const { entries, parts } = (this.#content ??= await readContent(this.#path))
    const before = await store.fingerprint()
    const known = entries.get(name)
    if (known && known.fingerprint === before) {
      const listing = revive(known.listing) as L
      store.adopt?.(listing, before)
      return { listing, took: undefined }
    }
    entries.delete(name)
    this.#changed = true
    if (before !== undefined) await new Promise((resolve) => setTimeout(resolve, TICK_MS))
    const quiet = before !== undefined && (await store.fingerprint()) === before
    const began = this.#monotonic()
    const { listing, kept } = store.listSince
      ? await store.listSince(parts.get(name))
      : { listing: await store.list(), kept: undefined }
    const took = this.#monotonic() - began
    if (kept !== undefined) parts.set(name, kept)
    if (quiet) entries.set(name, { fingerprint: before, listing: flatten(listing) })
    return { listing, took }
  }
}

interface Content {
  readonly entries: Map<string, Entry>
  /** What stores keep of their parts, by the names of the listings: JSON that is theirs. */
  readonly parts: Map<string, unknown>
}

const readContent = async (path: string): Promise<Content> => {
  const nothing: Content = { entries: new Map(), parts: new Map() }
  try {
    const file = await readText(path)
    const text = file.slice(file.indexOf('\n') + 1)
    if (file !== `${digestOf(text)}\n${text}`) return nothing
    const { version, entries, parts } = JSON.parse(text) as {
      readonly version: number
      readonly entries: Record<string, Entry>
      readonly parts?: Record<string, unknown>
    }
    if (version !== 2) return nothing
    return { entries: new Map(Object.entries(entries)), parts: new Map(Object.entries(parts ?? {})) }
  } catch {
    return nothing // absent or damaged: listings are taken anew
  }
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Run sets become their texts, maps their pairs. */
const flatten = (listing: Listing | SourceListing): unknown =>
  Object.fromEntries(
    Object.entries(listing).map(([key, value]: [string, unknown]) => [key, flatValue(value)]),
  )

const flatValue = (value: unknown): unknown => {
  if (value instanceof RunSet) return { runs: value.toString() }
  return value instanceof Map
    ? { pairs: [...(value as Map<number, unknown>)].map(([key, one]) => [key, flatValue(one)]) }
    : value
}

const revive = (flat: unknown): unknown =>
  Object.fromEntries(
    Object.entries(flat as Record<string, unknown>).map(([key, value]) => [key, reviveValue(value)]),
  )

const reviveValue = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  const { runs, pairs } = value as { runs?: string; pairs?: [number, unknown][] }
  if (runs !== undefined) return runs === '' ? RunSet.EMPTY : RunSet.parse(runs)
  return pairs ? new Map(pairs.map(([key, one]) => [key, reviveValue(one)])) : value
}
