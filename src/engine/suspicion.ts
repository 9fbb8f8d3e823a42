import { ArchiverError } from '../errors.ts'
import type { FailedClaim } from './backlog.ts'

/** A failure that is not yet reported to any listener. */
export interface Failing<Item> extends FailedClaim<Item> {
  readonly milliseconds: number
}

/** So many refusals in a row are the store's: one more than two, for two bad items may stand beside each other. */
const REFUSALS = 3

/** So many items that a store acknowledged and did not keep. */
const MISMATCHES = 2

/**
 * Whose fault it is that a store gave back something else than it had acknowledged, or refused an item without saying why, shows with the next items.
 */
export class Suspicion<Item> {
  #held: readonly Failing<Item>[] = []

  /** Holds a failure back. Gives all of them back where they are the store's, and no item has failed. */
  add(failing: Failing<Item>): readonly Failing<Item>[] {
    this.#held = [...this.#held, failing]
    return this.#held.length < (this.#held.every(isItems) ? MISMATCHES : REFUSALS) ? [] : this.clear()
  }

  /** The store has kept another item, or no item is left to try it with. Returns the failures that were held back. */
  clear(): readonly Failing<Item>[] {
    const held = this.#held
    this.#held = []
    return held
  }
}

/** Whether a store may be to blame for an error, and not the item. */
export const isSuspicious = (error: Error): boolean => error instanceof ArchiverError && error.doubtful

/** Whether a failure that nothing speaks for or against is the item's: what was given back wrong was acknowledged for it. */
export const isItems = ({ error }: Failing<unknown>): boolean =>
  error instanceof ArchiverError && error.code === 'VERIFY_MISMATCH'

/** Ends a pass: such a store would fail every item, and none is to blame. */
export const storeAtFault = (stage: string, failing: readonly Failing<unknown>[]): ArchiverError => {
  const keys = failing.map(({ claim }) => claim.key).join(', ')
  const cause = failing.at(-1)?.error
  const does = failing.every(isItems)
    ? 'does not keep what it acknowledges'
    : failing.length === 1
      ? 'refuses the only item that it was given'
      : 'refuses one item after the other'
  return new ArchiverError(
    'STORE_UNAVAILABLE',
    `the destination of ${stage} ${does} (${keys}): ${cause?.message ?? ''}`,
    { cause, hint: 'Nothing is marked as failed. Look after the store; the next pass tries them again.' },
  )
}
