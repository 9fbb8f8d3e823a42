import { ARCHIVE_NAME, isArchiveName } from '../../common/ucondb-name.ts'
import { ArchiverError } from '../../errors.ts'
import type { Listing } from '../store.ts'
import { type Range, RunSet } from '../../common/run-set.ts'

const KEY = /^([1-9][0-9]{0,14})(?:-update-([1-9][0-9]{0,5}))?$/
const SHOWN = 5
const LOOSE = 20_000

/** The key of a run's blob: the run in decimal, and `<run>-update-<n>` for the n-th blob beside it. Plain text, safe in a URL. */
export const keyOf = (run: number, update: number): string =>
  update === 0 ? `${run}` : `${run}-update-${update}`

/** What a key stands for; undefined for a key that this program would not have made (`000211` is not 211). */
export const parseKey = (key: string): { readonly run: number; readonly update: number } | undefined => {
  const match = KEY.exec(key)
  return match ? { run: Number(match[1]), update: Number(match[2] ?? 0) } : undefined
}

/** Gives the name back, or throws CONFIG_INVALID: a folder's or object's name becomes part of a path and of a URL. */
export const checkedName = (setting: string, name: string): string => {
  if (isArchiveName(name)) return name
  throw new ArchiverError('CONFIG_INVALID', `${setting} "${name}" cannot be a name in an archive`, {
    hint: `Use ${ARCHIVE_NAME}.`,
  })
}

/** Gathers keys in any order, and says what they come to. Takes room by gaps, not by runs. */
export class KeyTally {
  #runs = RunSet.EMPTY
  /** Runs that are not in the set yet: numbers take more room than ranges, ranges more time to add to. */
  #loose: number[] = []
  /** Likewise, of many runs at once. */
  readonly #ranges: Range[] = []
  readonly #incomplete: number[] = []
  readonly #updates = new Map<number, number>()
  readonly #foreign: string[] = []
  #foreignCount = 0

  /** Counts a key; `whole` is false where only a part of what belongs to it is there. */
  add(key: string, whole = true): void {
    const parsed = parseKey(key)
    if (parsed) this.addRun(parsed.run, parsed.update, whole)
    else this.addForeign(key)
  }

  /** Counts a key that is no run's, or that stands where no run's key is looked for. */
  addForeign(key: string): void {
    if (this.#foreignCount++ < SHOWN) this.#foreign.push(key)
  }

  /** Counts the first keys of runs that are there whole. */
  addWhole(runs: RunSet): void {
    for (const range of runs.ranges) this.#ranges.push(range)
  }

  addRun(run: number, update: number, whole: boolean): void {
    if (!whole) this.#incomplete.push(run)
    else if (update === 0) {
      this.#loose.push(run)
      if (this.#loose.length > Math.max(LOOSE, this.#runs.ranges.length)) this.#tidy()
    } else this.#updates.set(run, Math.max(update, this.#updates.get(run) ?? 0))
  }

  listing(notes: readonly string[] = []): Listing {
    const incomplete = RunSet.of(this.#incomplete)
    this.#tidy()
    const first = this.#runs.minus(incomplete)
    // A record that changed before it was ever archived has only the key of its update.
    const updated = RunSet.of(this.#updates.keys()).minus(incomplete)
    return {
      runs: first.union(updated),
      incomplete,
      updates: this.#updates,
      notes: [...notes, ...this.#foreignNote()],
    }
  }

  #tidy(): void {
    this.#runs = this.#runs.union(RunSet.of(this.#loose)).union(RunSet.ofRanges(this.#ranges.splice(0)))
    this.#loose = []
  }

  #foreignNote(): string[] {
    if (this.#foreignCount === 0) return []
    const more = this.#foreignCount > SHOWN ? ', ...' : ''
    const names = this.#foreign.map((key) => JSON.stringify(key)).join(', ')
    return [
      `${this.#foreignCount} keys in the archive are no run numbers and are left alone: ${names}${more}.`,
    ]
  }
}
