import { ArchiverError } from '../errors.ts'
import type { FailedClaim } from './backlog.ts'

/** A failure that nobody was told of yet. */
export interface Failing<Item> extends FailedClaim<Item> {
  readonly milliseconds: number
}

/** Whose fault it is that a store gave back something else than it had acknowledged shows with the next item. */
export class Suspicion<Item> {
  #held: Failing<Item> | undefined

  /** Holds back the first such failure. With the second in a row both are given back: it is the store's, and no item has failed. */
  add(failing: Failing<Item>): readonly Failing<Item>[] {
    const held = this.clear()
    if (held) return [held, failing]
    this.#held = failing
    return []
  }

  /** The store has kept another item, or there is none left to ask it with: the item held back failed by itself. */
  clear(): Failing<Item> | undefined {
    const held = this.#held
    this.#held = undefined
    return held
  }
}

/** Whether an error says that a store gave back something else than it had acknowledged. */
export const isSuspicious = (error: Error): boolean =>
  error instanceof ArchiverError && error.code === 'VERIFY_MISMATCH'

/** Ends a pass: a store that keeps nothing would fail every item, and none is to blame. */
export const keepsNothing = (stage: string, failing: readonly Failing<unknown>[]): ArchiverError => {
  const keys = failing.map(({ claim }) => claim.key).join(', ')
  const cause = failing.at(-1)?.error
  return new ArchiverError(
    'STORE_UNAVAILABLE',
    `the destination of ${stage} does not keep what it acknowledges (${keys}): ${cause?.message ?? ''}`,
    { cause, hint: 'Nothing is marked as failed. Look after the store; the next pass tries them again.' },
  )
}
