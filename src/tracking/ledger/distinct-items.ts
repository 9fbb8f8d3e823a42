import { numberOf } from '../../common/item-keys.ts'
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
