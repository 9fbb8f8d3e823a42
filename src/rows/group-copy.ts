import { fullNameOf, keyText, type Key, type Pair } from './table.ts'

/** Rows that the archive refused for another unique key, by table. */
export type Refusals = Map<string, Set<string>>

/** The archive refuses rows of a group: what was copied of their groups must not stay. */
export class Refused extends Error {
  readonly #pair: Pair
  readonly #keys: readonly Key[]

  constructor(pair: Pair, keys: readonly Key[]) {
    super(`${pair.archive.name} refuses ${keys.length} rows of ${pair.source.name} for another unique key`)
    this.#pair = pair
    this.#keys = keys
  }

  /** Remembers the rows; false: all of them were known, so that another try would end the same way. */
  addTo(refusals: Refusals): boolean {
    const name = fullNameOf(this.#pair.source)
    const known = refusals.get(name) ?? new Set<string>()
    const before = known.size
    for (const key of this.#keys) known.add(keyText(key))
    refusals.set(name, known)
    return known.size > before
  }
}

export const isRefused = (refusals: Refusals, { source }: Pair, key: Key): boolean =>
  refusals.get(fullNameOf(source))?.has(keyText(key)) ?? false
