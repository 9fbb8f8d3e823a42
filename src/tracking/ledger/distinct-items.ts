import { numberOf } from '../../common/item-keys.ts'
import { jsonObject } from '../../common/json-object.ts'
import { RunSet } from '../../common/run-set.ts'

/** Numbers that are kept one by one before they are put into ranges. */
const LOOSE = 4096

/** Counts items once, however many stages they pass. Runs that follow one another cost no memory. */
export class DistinctItems {
  #runs = RunSet.EMPTY
  #loose = new Set<number>()
  readonly #others = new Set<string>()

  add(stage: string, key: string): void {
    const run = numberOf(key)
    if (run === undefined) this.#others.add(`${stage} ${key}`)
    else if (!this.#runs.has(run)) this.#loose.add(run)
    if (this.#loose.size >= LOOSE) this.#settle()
  }

  get size(): number {
    return this.#runs.size + this.#loose.size + this.#others.size
  }

  #settle(): void {
    this.#runs = this.#runs.union(RunSet.of(this.#loose))
    this.#loose = new Set()
  }
}

/** The items of an execution's row, each once. Rows of older releases and of other programs have no such count: there one counts in each stage. */
export const itemsOf = (row: {
  readonly counts: string | null
  readonly items_attempted: number | null
}): number => distinctOf(row) ?? row.items_attempted ?? 0

/** The same; undefined where the row has no such count. */
export const distinctOf = ({ counts }: { readonly counts: string | null }): number | undefined => {
  const { items } = jsonObject(counts)
  return typeof items === 'number' ? items : undefined
}
