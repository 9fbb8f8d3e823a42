import { backoff } from '../common/backoff.ts'
import { ArchiverError } from '../errors.ts'
import type { Listener, Processed, Stage, StageOutcome } from './stage.ts'

export interface AttemptOptions {
  /** Attempts for each run, the first one included. */
  readonly attempts: number
  /** Before the second attempt, in milliseconds; doubled for each further one. */
  readonly retryDelay: number
  /** Aborts when no new runs are to be taken: those in hand are finished. */
  readonly stop: AbortSignal
  /** Aborts when those in hand are to be dropped as well. */
  readonly abandon: AbortSignal
  readonly listener: Listener
  /** 0 ≤ x < 1. */
  readonly random: () => number
}

/** Tries a run until it succeeds, fails in a way that another try will not cure, or the attempts are used up: then throws the last error. */
export const attempt = async (stage: Stage, run: number, options: AttemptOptions): Promise<Processed> => {
  const { attempts, retryDelay, listener, random, stop, abandon } = options
  for (let number = 1; ; number++) {
    listener({ type: 'run-started', stage: stage.name, run, attempt: number, attempts })
    try {
      return await stage.process(run, abandon)
    } catch (error) {
      if (!(error instanceof ArchiverError && error.retry) || number >= attempts || stop.aborted) throw error
      listener({ type: 'run-retry', stage: stage.name, run, attempt: number, attempts, error })
      await pause(backoff(number, retryDelay, random), stop)
    }
  }
}

/**
 * What an error says of the run that it ended: `failed` is the run's own fault and goes to the failure log, `pending` is nobody's yet,
 * the rest ends the pass and blames no run (I4). An error that is not ours is a bug: the pass ends, the run stays pending.
 */
export const judge = (error: Error): 'failed' | 'pending' | Exclude<StageOutcome['stopped'], undefined> => {
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
      return 'unavailable'
    default:
      return 'failed'
  }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, milliseconds)
    signal.addEventListener('abort', finish)
    if (signal.aborted) finish()
  })
