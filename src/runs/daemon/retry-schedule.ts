import { RunSet } from '../../common/run-set.ts'

/** Milliseconds, and how often a run is looked at before it is left alone. */
export interface AgendaRules {
  readonly first: number
  /** Each pause is so many times as long as the one before. */
  readonly factor: number
  readonly max: number
  readonly attempts: number
}

interface Due {
  readonly at: number
  /** How often it was looked at. */
  readonly taken: number
}

/** When to look at which run again: soon at first, then less and less often, then no more. Times come from the caller. */
export class Agenda {
  readonly #rules: AgendaRules
  readonly #due = new Map<number, Due>()

  constructor(rules: AgendaRules) {
    this.#rules = rules
  }

  /** Makes these the runs of the agenda: others are forgotten, new ones get their first time, the rest keep theirs. */
  keep(runs: RunSet, now: number): void {
    for (const run of this.#due.keys()) if (!runs.has(run)) this.#due.delete(run)
    for (const run of runs) if (!this.#due.has(run)) this.#due.set(run, this.#after(0, now))
  }

  /** Something happened to a run of the agenda: it begins anew. */
  touch(run: number, now: number): void {
    if (this.#due.has(run)) this.#due.set(run, this.#after(0, now))
  }

  /** The runs whose time has come. */
  due(now: number): RunSet {
    return RunSet.of([...this.#due].filter(([, { at }]) => at <= now).map(([run]) => run))
  }

  /** These runs were looked at: each of them gets its next time. */
  postpone(runs: RunSet, now: number): void {
    for (const run of runs) {
      const due = this.#due.get(run)
      if (due) this.#due.set(run, this.#after(due.taken + 1, now))
    }
  }

  /** When the next run's time comes; Infinity for never. */
  get next(): number {
    let next = Infinity
    for (const { at } of this.#due.values()) next = Math.min(next, at)
    return next
  }

  /** Runs that have had all their attempts and wait for a person. */
  get exhausted(): RunSet {
    return RunSet.of([...this.#due].filter(([, { at }]) => at === Infinity).map(([run]) => run))
  }

  #after(taken: number, now: number): Due {
    const { first, factor, max, attempts } = this.#rules
    const pause = Math.min(first * factor ** taken, max)
    return { at: taken < attempts ? now + pause : Infinity, taken }
  }
}
