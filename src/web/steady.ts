import { ArchiverError, messageOf } from '../errors.ts'
import type { DaysPart, LedgerReads } from './model.ts'

/** Since when the ledger does not answer, and what it said. */
export interface Trouble {
  readonly since: number
  /** When the answers that are shown were read; undefined where there are none. */
  readonly shownFrom: number | undefined
  readonly message: string
  readonly code: string
}

/** Answers that are kept for when the ledger is away, and the entries that all their lists have together. */
const KEPT = 300
const ENTRIES = 20_000
const MINUTE = 60_000
/** Milliseconds that an answer holds while the ledger does not change: "hung" and the estimated ends depend on the clock too. */
const HOLDS = 5000

interface Answer {
  readonly at: number
  /** The ledger's revision before it was read; undefined for what must be read each time. */
  readonly revision: string | undefined
  readonly value: unknown
  readonly entries: number
}

/** How long the list of an answer is; 1 for what is none. */
const entriesOf = (value: unknown): number => {
  const list = typeof value === 'object' && value !== null && 'items' in value ? value.items : value
  return Array.isArray(list) ? Math.max(1, list.length) : 1
}

/**
 * A ledger that may go away: while it does, its last answer to the same question stands, and `trouble` says so. A question that was
 * never answered throws what the ledger threw. What the overview asks is not read again while the ledger's revision stays the same.
 */
export class SteadyLedger {
  #trouble: Trouble | undefined
  readonly #answers = new Map<string, Answer>()
  #entries = 0
  #looking: Promise<string> | undefined
  readonly #now: () => number
  readonly reads: LedgerReads

  constructor(reads: LedgerReads, now: () => number) {
    this.#now = now
    const keep =
      <Args extends readonly unknown[], T>(name: string, ask: (...args: Args) => Promise<T>) =>
      (...args: Args): Promise<T> =>
        this.#ask(`${name}${JSON.stringify(args)}`, () => ask(...args))
    const keepUnchanged =
      <T>(name: string, ask: () => Promise<T>) =>
      (): Promise<T> =>
        this.#askUnchanged(`${name}[]`, ask)
    // Of the last so many days is one question, whenever it is asked.
    const keepBack =
      <Rest extends readonly unknown[], T>(name: string, ask: (since: number, ...rest: Rest) => Promise<T>) =>
      (since: number, ...rest: Rest): Promise<T> =>
        this.#askUnchanged(`${name}${JSON.stringify([Math.round((now() - since) / MINUTE), ...rest])}`, () =>
          ask(since, ...rest),
        )
    this.reads = {
      current: keepUnchanged('current', () => reads.current()),
      executions: keep('executions', (query) => reads.executions(query)),
      execution: keep('execution', (id) => reads.execution(id)),
      metrics: keep('metrics', (id) => reads.metrics(id)),
      tasks: keepUnchanged('tasks', () => reads.tasks()),
      days: keepBack('days', (since, task?: string, part?: DaysPart) => reads.days(since, task, part)),
      story: keep('story', (run) => reads.story(run)),
      failures: keepBack('failures', (since, limit: number) => reads.failures(since, limit)),
      late: keepUnchanged('late', async () => (await reads.late?.()) ?? []),
      ...(reads.steps && { steps: keep('steps', reads.steps.bind(reads)) }),
      ...(reads.actions && { actions: keep('actions', reads.actions.bind(reads)) }),
      ...(reads.graph && { graph: keep('graph', reads.graph.bind(reads)) }),
      // A change must be seen as such: this one is never answered from memory.
      revision: () => this.#fresh(() => reads.revision()),
    }
  }

  get trouble(): Trouble | undefined {
    return this.#trouble
  }

  /** The kept answer where nothing was written since it was read. Questions of one page share one look at the revision. */
  async #askUnchanged<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const kept = this.#answers.get(key)
    this.#looking ??= this.reads.revision().finally(() => (this.#looking = undefined))
    const revision = await this.#looking.catch(() => undefined)
    const age = kept ? this.#now() - kept.at : Infinity
    if (kept && revision !== undefined && revision === kept.revision && age >= 0 && age < HOLDS)
      return kept.value as T
    return this.#ask(key, ask, revision)
  }

  async #ask<T>(key: string, ask: () => Promise<T>, revision?: string): Promise<T> {
    const before = this.#answers.get(key)
    try {
      const value = await this.#fresh(ask)
      this.#remember(key, { at: this.#now(), revision, value, entries: entriesOf(value) })
      return value
    } catch (error) {
      if (!before) throw error
      this.#trouble = this.#trouble && { ...this.#trouble, shownFrom: before.at }
      return before.value as T
    }
  }

  #remember(key: string, answer: Answer): void {
    this.#forget(key)
    this.#answers.set(key, answer)
    this.#entries += answer.entries
    for (const oldest of this.#answers.keys()) {
      if (oldest === key || (this.#answers.size <= KEPT && this.#entries <= ENTRIES)) return
      this.#forget(oldest)
    }
  }

  #forget(key: string): void {
    this.#entries -= this.#answers.get(key)?.entries ?? 0
    this.#answers.delete(key)
  }

  async #fresh<T>(ask: () => Promise<T>): Promise<T> {
    try {
      const value = await ask()
      this.#trouble = undefined
      return value
    } catch (error) {
      this.#trouble = {
        since: this.#trouble?.since ?? this.#now(),
        shownFrom: this.#trouble?.shownFrom,
        message: messageOf(error),
        code: error instanceof ArchiverError ? error.code : 'LEDGER_UNAVAILABLE',
      }
      throw error
    }
  }
}
