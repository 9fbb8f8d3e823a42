import type { StageName } from '../common/stage-name.ts'
import { RunSet } from '../common/run-set.ts'
import type { Backlog, Claim, Results } from '../engine/backlog.ts'
import type { StageOutcome, StopReason } from '../engine/stage.ts'
import { attemptedUpTo } from './attempted-up-to.ts'

/** What one stage remembers between processes (state/stage-state.ts keeps it). */
export interface Recorder {
  /**
   * Makes failure entries durable, then removes resolved ones, then moves the state on, in this order. Throws
   * STATE_UNWRITABLE, or LOCK_LOST when this process no longer holds the lock: nothing may be written from then on.
   */
  checkpoint(progress: {
    readonly failed: RunSet
    readonly resolved: RunSet
    /** The highest run such that nothing at or below it is still in hand. */
    readonly attemptedUpTo: number
    readonly lastContiguous: number
  }): Promise<void>
}

/** What a pass of one stage is given to do. */
export interface RunWork {
  readonly runs: RunSet
  /** What the destination held whole before the pass: `last_contiguous_run` is read off it and what is added. */
  readonly stored: RunSet
  /** Of these, the runs of this instance: its `last_attempted_run` says nothing of what others stored. All unless given. */
  readonly ours?: RunSet
  /** Of these, what was perhaps never compared and is not among `runs` either: `last_attempted_run` stays below. */
  readonly unproven: RunSet
  readonly lastAttempted: number
}

/**
 * The runs of a pass, in memory; what became of them is recorded in the stage's state and failure log. `last_attempted_run` never passes
 * a run that is in hand, or one of which nobody knows what became of it.
 */
export class RunBacklog implements Backlog<number> {
  readonly total: number
  readonly ahead = 0
  readonly #recorder: Recorder
  readonly #queue: Iterator<number>
  /** Handed out and not settled; and, for good, what was given back. */
  readonly #open: Set<number>
  readonly #failed = new Set<number>()
  #stored: RunSet
  #ours: RunSet
  #lastAttempted: number

  constructor({ runs, stored, ours = stored, unproven, lastAttempted }: RunWork, recorder: Recorder) {
    this.total = runs.size
    this.#recorder = recorder
    this.#queue = runs[Symbol.iterator]()
    this.#open = new Set(unproven.take(1))
    this.#stored = stored
    this.#ours = ours
    this.#lastAttempted = lastAttempted
  }

  next(most: number): Promise<readonly Claim<number>[]> {
    const claims: Claim<number>[] = []
    while (claims.length < most) {
      const next = this.#queue.next()
      if (next.done) break
      this.#open.add(next.value)
      claims.push({ item: next.value, key: String(next.value), attempt: 1 })
    }
    return Promise.resolve(claims)
  }

  async settle({ done, failed }: Results<number>): Promise<readonly string[]> {
    const resolved = RunSet.of(done.map(({ item }) => item))
    const bad = RunSet.of(failed.map(({ claim }) => claim.item))
    for (const run of resolved) this.#open.delete(run)
    for (const run of bad) {
      this.#open.delete(run)
      this.#failed.add(run)
    }
    this.#stored = this.#stored.union(resolved)
    this.#ours = this.#ours.union(resolved)
    const attempted = attemptedUpTo(this.#lastAttempted, this.#failed, this.#ours, this.#open)
    if (done.length + failed.length === 0 && attempted === this.#lastAttempted) return []
    try {
      await this.#recorder.checkpoint({
        failed: bad,
        resolved,
        attemptedUpTo: attempted,
        lastContiguous: this.#stored.lastContiguous,
      })
    } catch (error) {
      // A failure that is not in the log has not failed: it is pending, and the numbers stay below it.
      for (const run of bad) {
        this.#failed.delete(run)
        this.#open.add(run)
      }
      throw error
    }
    this.#lastAttempted = attempted
    return []
  }

  later({ item }: Claim<number>): Promise<void> {
    this.#open.delete(item)
    return Promise.resolve()
  }

  /** A pass hands a run out once; what was given back is for the next one, and the numbers stay below it. */
  release(): Promise<void> {
    return Promise.resolve()
  }
}

/** What a pass of one stage came to. */
export interface RunOutcome {
  readonly stage: StageName
  readonly attempted: RunSet
  readonly succeeded: RunSet
  readonly failed: RunSet
  /** Why each failed run failed. */
  readonly errors: ReadonlyMap<number, Error>
  /** Runs that were to be done and were left: not ready, stopped, or the destination went away. */
  readonly pending: RunSet
  readonly bytes: number
  readonly milliseconds: number
  readonly stopped: StopReason | undefined
  readonly error: Error | undefined
}

/** The outcome of the engine in run sets. `runs`: what was to be done. */
export const runOutcome = (
  stage: StageName,
  runs: RunSet,
  { succeeded: done, failed: errors, bytes, milliseconds, stopped, error }: StageOutcome<number>,
): RunOutcome => {
  const succeeded = RunSet.of(done)
  const failed = RunSet.of(errors.keys())
  const attempted = succeeded.union(failed)
  const pending = runs.minus(attempted)
  return { stage, attempted, succeeded, failed, errors, pending, bytes, milliseconds, stopped, error }
}
