import { RunSet } from '../../common/run-set.ts'
import type { Listing, Remember } from '../store.ts'
import type { WrittenDatabase } from './write/written-database.ts'

/** Documents of older databases whose indexes are held at a time: about 200 MB. */
const MOST_INDEXED = 200_000

/**
 * Several databases, oldest first, of which the last takes new runs. Says which one holds a run, and keeps of the older ones no more in memory than
 * is used: a hundred thousand runs take hundreds of megabytes.
 */
export class DatabaseList {
  readonly #all: readonly WrittenDatabase[]
  readonly #remember: Remember | undefined
  /** Older databases, the one that was used last first. */
  #recent: WrittenDatabase[] = []

  constructor(all: readonly WrittenDatabase[], remember: Remember | undefined) {
    this.#all = all
    this.#remember = remember
  }

  /** The newest database in which a run counts, else the newest that knows it: while it is moved to another database, two do. */
  async holding(run: number): Promise<WrittenDatabase | undefined> {
    const newestFirst = this.#all.toReversed()
    for (const one of newestFirst)
      if (this.#remember && this.#isOlder(one) && !one.database.isKnown) await this.remembered(one)
    for (const one of newestFirst) if (await one.database.counts(run)) return await this.using(one)
    for (const one of newestFirst) if (await one.database.knows(run)) return await this.using(one)
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
      fingerprint: () => database.fingerprint(),
    })
    database.outline({ key, counts: listing.runs, knows: listing.runs.union(listing.incomplete) })
    return listing
  }

  /** Lets go of the indexes that were used longest ago, where there is not room for all; of the newest database never. */
  async using(one: WrittenDatabase): Promise<WrittenDatabase> {
    if (!this.#isOlder(one)) return one
    this.#recent = [one, ...this.#recent.filter((other) => other !== one)]
    const held = (): number => this.#recent.reduce((sum, { database }) => sum + database.indexed, 0)
    while (this.#recent.length > 1 && held() > MOST_INDEXED) await this.#recent.pop()?.database.condense()
    return one
  }

  #isOlder(one: WrittenDatabase): boolean {
    return one !== this.#all.at(-1)
  }
}
