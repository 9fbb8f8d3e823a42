import { ArchiverError, messageOf } from '../errors.ts'
import type { LedgerReads } from './model.ts'

/** Since when the ledger does not answer, and what it said. */
export interface Trouble {
  readonly since: number
  /** When the answers that are shown were read; undefined where there are none. */
  readonly shownFrom: number | undefined
  readonly message: string
  readonly code: string
}

/** Answers that are kept for when the ledger is away. */
const KEPT = 300

/**
 * A ledger that may go away: while it does, its last answer to the same question stands, and `trouble` says so. A question that was
 * never answered throws what the ledger threw.
 */
export class SteadyLedger {
  #trouble: Trouble | undefined
  readonly #answers = new Map<string, { readonly at: number; readonly value: unknown }>()
  readonly #now: () => number
  readonly reads: LedgerReads

  constructor(reads: LedgerReads, now: () => number) {
    this.#now = now
    const keep =
      <Args extends readonly unknown[], T>(name: string, ask: (...args: Args) => Promise<T>) =>
      (...args: Args): Promise<T> =>
        this.#ask(`${name}${JSON.stringify(args)}`, () => ask(...args))
    this.reads = {
      current: keep('current', () => reads.current()),
      executions: keep('executions', (query) => reads.executions(query)),
      execution: keep('execution', (id) => reads.execution(id)),
      metrics: keep('metrics', (id) => reads.metrics(id)),
      tasks: keep('tasks', () => reads.tasks()),
      days: keep('days', (since, task, part) => reads.days(since, task, part)),
      story: keep('story', (run) => reads.story(run)),
      failures: keep('failures', (since, limit) => reads.failures(since, limit)),
      late: keep('late', async () => (await reads.late?.()) ?? []),
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

  async #ask<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const before = this.#answers.get(key)
    try {
      const value = await this.#fresh(ask)
      this.#answers.delete(key)
      this.#answers.set(key, { at: this.#now(), value })
      const oldest = this.#answers.keys().next().value
      if (this.#answers.size > KEPT && oldest !== undefined) this.#answers.delete(oldest)
      return value
    } catch (error) {
      if (!before) throw error
      this.#trouble = this.#trouble && { ...this.#trouble, shownFrom: before.at }
      return before.value as T
    }
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
