import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { makeFolder } from '../../platform/make-folder.ts'
import { RunSet } from '../../common/run-set.ts'
import { replaceFile } from '../../platform/atomic-file.ts'
import { now } from '../../platform/host.ts'
import { unwritable } from '../../state/state-file.ts'
import type { ProofFacts } from '../report/report.ts'
import { textIfThere } from '../../state/safe-open.ts'

/** Comparisons within an hour are kept as one: years of them are a few lines. */
const HOUR = 3_600_000

interface Stored {
  readonly version: number
  /** Epoch milliseconds, and the runs that were compared last in the hour that begins then. */
  readonly compared: readonly (readonly [hour: number, runs: string])[]
  readonly damaged: readonly (readonly [run: number, reason: string])[]
  /** Missing where an older version wrote the file. */
  readonly records?: readonly (readonly [run: number, reason: string])[]
  /** The run whose turn it was last; missing where an older version wrote the file. */
  readonly last?: number
}

/**
 * When each run was compared last, and what was found damaged then: `.proven.json` in work_dir. A cache: losing or damaging it costs the time of
 * comparing again, for its first line is the digest of the rest.
 */
export class Proven {
  readonly #path: string
  #compared = new Map<number, RunSet>()
  #damaged = new Map<number, string>()
  #records = new Map<number, string>()
  /** Of the runs that were compared in one hour, those above it come first. */
  #last = 0

  constructor(path: string) {
    this.#path = path
  }

  /**
   * Reads the file; one that is absent or damaged is empty. A comparison dated later than `at` (epoch milliseconds) was made by a clock that
   * was wrong: nobody knows how long ago it was, so the run counts as not compared, and its turn comes first. Throws STATE_UNREADABLE where the
   * system does not give what stands there: known damage would be forgotten with the next `save`.
   */
  async load(at = now()): Promise<this> {
    const file = await textIfThere(this.#path)
    if (file === undefined) return this
    try {
      const text = file.slice(file.indexOf('\n') + 1)
      if (file !== `${digestOf(text)}\n${text}`) return this
      const { version, compared, damaged, records = [], last = 0 } = JSON.parse(text) as Stored
      if (version !== 1) return this
      const past = compared.filter(([hour]) => hour <= at)
      this.#compared = new Map(past.map(([hour, runs]) => [hour, RunSet.parse(runs)]))
      this.#damaged = new Map(damaged)
      this.#records = new Map(records)
      this.#last = last
    } catch {
      // Damaged.
    }
    return this
  }

  /** Runs that were compared at any time, and found good. */
  get runs(): RunSet {
    return [...this.#compared.values()].reduce((all, runs) => all.union(runs), RunSet.EMPTY)
  }

  /** What is damaged, as it was found last. */
  get damaged(): ReadonlyMap<number, string> {
    return this.#damaged
  }

  /** Records that looked damaged when they were archived, byte for byte as they were, with what is wrong. */
  get damagedRecords(): ReadonlyMap<number, string> {
    return this.#records
  }

  /** Notes how the record of a run looked that was archived. Returns whether that was not known. */
  noteRecord(run: number, damage: string | undefined): boolean {
    if (this.#records.get(run) === damage) return false
    if (damage === undefined) this.#records.delete(run)
    else this.#records.set(run, damage)
    return true
  }

  /** When the one of these runs that was compared longest ago was compared, epoch milliseconds; undefined where none was. */
  oldest(of: RunSet): number | undefined {
    return this.#hours().find((hour) => !this.#compared.get(hour)?.intersect(of).isEmpty)
  }

  /** When a run was compared last and was good, epoch milliseconds; undefined where it never was, or is damaged. */
  comparedAt(run: number): number | undefined {
    return this.#hours().findLast((hour) => this.#compared.get(hour)?.has(run))
  }

  /** What is known of the runs that are archived. */
  about(held: RunSet): ProofFacts {
    return {
      held,
      compared: this.runs.intersect(held),
      oldest: this.oldest(held),
      damaged: new Map([...this.#damaged].filter(([run]) => held.has(run))),
    }
  }

  /**
   * The order in which runs are to be compared: damaged ones, those that never were, then the longest ago. Of one hour they come in turn, beginning
   * above the one that was taken last: however short the turns are, each run has its own within a round.
   */
  *order(held: RunSet): Generator<number> {
    const damaged = held.intersect(RunSet.of(this.#damaged.keys()))
    yield* damaged
    yield* held.minus(damaged).minus(this.runs)
    const before = new Map(this.#compared)
    for (const hour of this.#hours()) {
      const runs = (before.get(hour) ?? RunSet.EMPTY).intersect(held).minus(damaged)
      const first = runs.above(this.#last)
      for (const some of [first, runs.minus(first)])
        for (const run of some) {
          yield run
          this.#last = run // only now: one that is yielded and not taken keeps its turn
        }
    }
  }

  /** Notes that runs were compared and are good. */
  good(runs: RunSet, at: number): void {
    if (runs.isEmpty) return
    this.#forget(runs)
    const hour = Math.floor(at / HOUR) * HOUR
    this.#compared.set(hour, (this.#compared.get(hour) ?? RunSet.EMPTY).union(runs))
  }

  /** Notes that a run was compared and is damaged. */
  bad(run: number, reason: string): void {
    this.#forget(RunSet.of([run]))
    this.#damaged.set(run, reason)
  }

  /** Replaces the file whole. Throws STATE_UNWRITABLE. */
  async save(): Promise<void> {
    const stored: Stored = {
      version: 1,
      compared: this.#hours().map((hour) => [hour, this.#compared.get(hour)?.toString() ?? '']),
      damaged: [...this.#damaged],
      records: [...this.#records],
      last: this.#last,
    }
    const text = `${JSON.stringify(stored)}\n`
    try {
      await makeFolder(dirname(this.#path))
      await replaceFile(this.#path, `${digestOf(text)}\n${text}`)
    } catch (error) {
      throw unwritable(this.#path, error)
    }
  }

  #hours(): number[] {
    return [...this.#compared.keys()].sort((a, b) => a - b)
  }

  #forget(runs: RunSet): void {
    for (const run of runs) this.#damaged.delete(run)
    for (const [hour, known] of this.#compared) {
      const left = known.minus(runs)
      if (left.isEmpty) this.#compared.delete(hour)
      else this.#compared.set(hour, left)
    }
  }
}

/** The file of what was compared, in work_dir. */
export const provenOf = ({
  config,
}: {
  readonly config: { readonly app: { readonly workDir: string } }
}): Proven => new Proven(join(config.app.workDir, '.proven.json'))

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')
