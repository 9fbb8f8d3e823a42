import { RunSet } from '../../common/run-set.ts'
import type { RunPlace } from '../index-data.ts'
import type { Listing, Remember } from '../store.ts'
import type { CollectionIndex } from './format/search-index.ts'
import type { Database } from './index/database.ts'
import type { WrittenDatabase } from './write/written-database.ts'

/** Documents of older databases whose indexes are held at a time: about 40 MB. */
const MOST_INDEXED = 200_000
/** Milliseconds. */
const PLACE_KEPT = 1000

/**
 * Several databases, oldest first, of which the last takes new runs. Says which one holds a run, and keeps of the older ones no more in memory than
 * is used: the indexes of a million runs of five documents take a gigabyte.
 */
export class DatabaseList {
  readonly #all: readonly WrittenDatabase[]
  readonly #remember: Remember | undefined
  readonly #most: number
  /** Older databases, the one that was used last first. */
  #recent: WrittenDatabase[] = []
  /** The databases that hold the runs in hand, as another thread has found them. */
  readonly #holders = new Map<number, WrittenDatabase>()
  #newestPlace: { readonly at: number; readonly place: RunPlace; counts(run: number): boolean } | undefined

  /** `most`: documents of older databases whose indexes are held at a time; of the one that was used last they are held in any case. */
  constructor(all: readonly WrittenDatabase[], remember: Remember | undefined, most = MOST_INDEXED) {
    this.#all = all
    this.#remember = remember
    this.#most = most
  }

  /**
   * Where a run is, with the indexes there, for another thread. `now`: epoch milliseconds. For runs of the newest database it is the same for a second:
   * it is asked for run by run, and the other thread looks whether it is still true.
   */
  async placeOf(run: number, now: number): Promise<RunPlace | undefined> {
    const kept = this.#newestPlace
    if (kept && Math.abs(now - kept.at) < PLACE_KEPT && kept.counts(run)) return kept.place
    const one = await this.holding(run)
    if (!one) return undefined
    const { database } = one
    const place = { path: database.path, indexes: await database.allHeld() }
    if (!this.#isOlder(one)) this.#newestPlace = { at: now, place, counts: await database.counting() }
    return place
  }

  /** Does work on a run for which another thread has found the database and read its indexes. */
  async knowing<T>(run: number, { path, indexes }: RunPlace, work: () => Promise<T>): Promise<T> {
    const one = this.#all.find(({ database }) => database.path === path)
    if (!one) return await work()
    one.database.hold(indexes)
    this.#holders.set(run, one)
    try {
      return await work()
    } finally {
      this.#holders.delete(run)
    }
  }

  /** The newest database in which a run counts, else the newest that knows it: while it is moved to another database, two do. */
  async holding(run: number): Promise<WrittenDatabase | undefined> {
    const holder = this.#holders.get(run)
    if (holder && (await holder.database.counts(run))) return await this.using(holder)
    const newestFirst = this.#all.toReversed()
    for (const one of newestFirst)
      if (this.#remember && this.#isOlder(one) && !one.database.isKnown) await this.remembered(one)
    for (const one of newestFirst) {
      if (await one.database.counts(run)) return await this.using(one)
      await this.#letGo()
    }
    for (const one of newestFirst) {
      if (await one.database.knows(run)) return await this.using(one)
      await this.#letGo()
    }
    return undefined
  }

  /** The database in which a run counts, and what its index says of the run, for who asks for one run now and then. */
  async lookUp(
    run: number,
  ): Promise<{ readonly database: Database; readonly index: CollectionIndex } | undefined> {
    for (const { database } of this.#all.toReversed()) {
      const index = await database.lookUp(run)
      if (index) return { database, index }
    }
    return undefined
  }

  /** An older database's listing, and with it which runs it knows, without its indexes where it is as it was. */
  async remembered(one: WrittenDatabase): Promise<Listing> {
    const { database } = one
    const remember = this.#remember ?? ((_, { list }) => list())
    const key = await database.indexesKey()
    const listing = await remember(`artdaq ${database.path}`, {
      list: async () => {
        const { runs, foreign, incomplete, updates, notes } = await one.list()
        return { runs, foreign: foreign ?? RunSet.EMPTY, incomplete, updates, notes }
      },
      fingerprint: () => one.fingerprint(),
    })
    database.outline({ key, counts: listing.runs, knows: listing.runs.union(listing.incomplete) })
    return listing
  }

  /** Makes it the one that was used last. */
  async using(one: WrittenDatabase): Promise<WrittenDatabase> {
    if (!this.#isOlder(one)) return one
    this.#recent = [one, ...this.#recent.filter((other) => other !== one)]
    await this.#letGo()
    return one
  }

  /** Lets go of indexes where there is not room for all: of those that were only asked, then of those that were used longest ago; never of the newest database. */
  async #letGo(): Promise<void> {
    const older = this.#all.filter((one) => this.#isOlder(one))
    const held = (): number => older.reduce((sum, { database }) => sum + database.indexed, 0)
    const asked = older.filter((one) => !this.#recent.includes(one))
    for (const one of [...asked, ...this.#recent.slice(1).toReversed()]) {
      if (held() <= this.#most) return
      await one.database.condense()
    }
  }

  #isOlder(one: WrittenDatabase): boolean {
    return one !== this.#all.at(-1)
  }
}
