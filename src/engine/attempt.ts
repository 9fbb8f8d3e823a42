import { backoff } from '../common/backoff.ts'
import { withAnySignal } from './any-signal.ts'
import { pause } from './pause.ts'
import { ArchiverError } from '../errors.ts'
import type { Claim } from './backlog.ts'
import type { Listener, Processed, Stage, StopReason } from './stage.ts'

export interface AttemptOptions {
  /** Attempts for each item, the first one included. */
  readonly attempts: number
  /** Before the second attempt, in milliseconds; doubled for each further one. */
  readonly retryDelay: number
  /** Aborts when no new items are to be taken: those in hand are finished. */
  readonly stop: AbortSignal
  /** Aborts when those in hand are to be dropped as well. */
  readonly abandon: AbortSignal
  readonly listener: Listener
  /** 0 ≤ x < 1. */
  readonly random: () => number
}

/** Tries an item until it succeeds, fails in a way that another try will not cure, or the attempts are used up: then throws the last error. */
export const attempt = <Item>(
  stage: Stage<Item>,
  claim: Claim<Item>,
  options: AttemptOptions,
): Promise<Processed> => {
  const { abandon } = options
  return claim.lost
    ? withAnySignal([abandon, claim.lost], (first) => attempted(stage, claim, options, first))
    : attempted(stage, claim, options, abandon)
}

const attempted = async <Item>(
  stage: Stage<Item>,
  { item, key, lost }: Claim<Item>,
  { attempts, retryDelay, listener, random, stop }: AttemptOptions,
  abandon: AbortSignal,
): Promise<Processed> => {
  for (let number = 1; ; number++) {
    listener({ type: 'item-started', stage: stage.name, key, attempt: number, attempts })
    try {
      return await stage.process(item, abandon)
    } catch (error) {
      if (
        !(error instanceof ArchiverError && error.retry) ||
        number >= attempts ||
        stop.aborted ||
        lost?.aborted
      )
        throw error
      listener({ type: 'item-retry', stage: stage.name, key, attempt: number, attempts, error })
      await pause(backoff(number, retryDelay, random), stop)
    }
  }
}

/**
 * What an error says of the item that it ended: `failed` is the item's own fault, `pending` is nobody's yet, the rest ends the pass and
 * blames no item: one that is stopped or cannot reach a store says nothing about the items (docs/INVARIANTS.md, "One bad run never
 * blocks the rest"). An error that is not ours is a bug: the pass ends, the item stays pending.
 */
export const judge = (error: Error): 'failed' | 'pending' | StopReason => {
  if (error.name === 'AbortError') return 'signal'
  if (!(error instanceof ArchiverError)) return 'unavailable'
  switch (error.code) {
    case 'RECORD_CHANGING':
      return 'pending'
    case 'INTERRUPTED':
      return 'signal'
    case 'LOCK_LOST':
      return 'lock-lost'
    case 'STORE_UNAVAILABLE':
    case 'SOURCE_UNAVAILABLE':
    case 'STATE_UNWRITABLE':
    case 'TOO_MANY_OPEN_FILES':
      return 'unavailable'
    default:
      return 'failed'
  }
}

/** Whatever was thrown, as an error. */
export const errorOf = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown))
