import { attemptedUpTo } from './attempted-up-to.ts'
import { RunSet } from '../common/run-set.ts'
import { ArchiverError } from '../errors.ts'
import { type AttemptOptions, attempt, judge } from './attempt.ts'
import type { PassWork, Processed, Recorder, Stage, StageOutcome } from './stage.ts'

export interface EngineOptions extends AttemptOptions {
  readonly mode: string
  readonly workers: number
  /** Milliseconds, never jumping. */
  readonly monotonic: () => number
  /** At most this often, in milliseconds, is progress recorded during a pass. */
  readonly checkpointEvery: number
}

type Stopped = StageOutcome['stopped']

/**
 * Runs one stage over the runs of a pass. What it promises: a run is only ever called done after the destination has made it
 * durable and compared it, and only recorded after that (I2); `last_attempted_run` never passes a run in flight (I3); one bad
 * run never blocks the rest, and a destination that is away stops the pass with its runs pending (I4). Killed at any moment, the next
 * pass finds by set difference what is left. Never throws for what runs do; throws when the recorder cannot record.
 */
export const runStage = async (
  stage: Stage,
  work: PassWork,
  recorder: Recorder,
  options: EngineOptions,
): Promise<StageOutcome> => {
  const pass = new Pass(stage, work, recorder, options)
  return pass.run()
}

interface Staged {
  readonly processed: Processed
  readonly milliseconds: number
}

class Pass {
  readonly #stage: Stage
  readonly #work: PassWork
  readonly #recorder: Recorder
  readonly #options: EngineOptions
  readonly #queue: Iterator<number>
  readonly #inFlight = new Set<number>()
  /** Processed, but not yet committed: as good as in flight. */
  readonly #staged = new Map<number, Staged>()
  /** Ended by what is not their own fault, so that nobody knows what became of them: last_attempted_run stays below them, too. */
  readonly #unknown: number[]
  readonly #succeeded: number[] = []
  readonly #failed = new Set<number>()
  readonly #started: number
  #unrecorded: { succeeded: number[]; failed: number[] } = { succeeded: [], failed: [] }
  #stored: RunSet
  #lastAttempted: number
  #lastCheckpoint: number
  #batch = 0
  #batchStarted: number
  #bytes = 0
  #stopped: Stopped
  #error: Error | undefined
  /** Checkpoints run one after the other, whoever asks for them. */
  #checkpointing: Promise<void> = Promise.resolve()

  constructor(stage: Stage, work: PassWork, recorder: Recorder, options: EngineOptions) {
    this.#stage = stage
    this.#work = work
    this.#recorder = recorder
    this.#options = options
    this.#queue = work.runs[Symbol.iterator]()
    this.#unknown = [...work.unproven.take(1)]
    this.#stored = work.stored
    this.#lastAttempted = work.lastAttempted
    this.#started = this.#lastCheckpoint = this.#batchStarted = options.monotonic()
  }

  async run(): Promise<StageOutcome> {
    const { listener, mode, workers } = this.#options
    const { runs, waiting } = this.#work
    listener({ type: 'pass-started', stage: this.#stage.name, mode, total: runs.size, waiting })
    const atOnce = Math.min(workers * (1 + (this.#stage.waits ?? 0)), Math.max(1, runs.size))
    await Promise.all(Array.from({ length: atOnce }, () => this.#worker()))
    await this.#checkpoint(true)
    if (this.#stopped)
      listener({ type: 'pass-stopped', stage: this.#stage.name, reason: this.#stopped, error: this.#error })
    const outcome = this.#outcome()
    listener({ type: 'pass-finished', stage: this.#stage.name, outcome })
    return outcome
  }

  async #worker(): Promise<void> {
    while (!this.#stopped) {
      if (this.#options.stop.aborted) {
        this.#halt('signal', undefined)
        return
      }
      const next = this.#queue.next()
      if (next.done) return
      await this.#one(next.value)
      // Not waited for: runs go on while others are committed. What goes wrong there stops the pass, or comes up at its end.
      this.#checkpoint(false).catch(() => undefined)
    }
  }

  async #one(run: number): Promise<void> {
    const { listener, monotonic } = this.#options
    const began = monotonic()
    this.#inFlight.add(run)
    try {
      const processed = await attempt(this.#stage, run, this.#options)
      const staged = { processed, milliseconds: monotonic() - began }
      if (this.#stage.commit) this.#staged.set(run, staged)
      else this.#done(run, staged)
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      const verdict = judge(error)
      if (verdict === 'failed') {
        this.#failed.add(run)
        this.#unrecorded.failed.push(run)
        listener({
          type: 'run-failed',
          stage: this.#stage.name,
          run,
          error,
          milliseconds: monotonic() - began,
        })
      } else if (verdict !== 'pending') {
        this.#unknown.push(run)
        this.#halt(verdict, error)
      }
    } finally {
      this.#inFlight.delete(run)
    }
  }

  #done(run: number, { processed, milliseconds }: Staged): void {
    this.#succeeded.push(run)
    this.#unrecorded.succeeded.push(run)
    this.#bytes += processed.bytes
    this.#options.listener({ type: 'run-done', stage: this.#stage.name, run, processed, milliseconds })
  }

  /** Ends the pass after something that concerns more than one run. */
  #stopFor(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    this.#halt(
      error instanceof ArchiverError && error.code === 'LOCK_LOST' ? 'lock-lost' : 'unavailable',
      error,
    )
  }

  #halt(reason: Exclude<Stopped, undefined>, error: Error | undefined): void {
    this.#stopped ??= reason
    this.#error ??= error
  }

  /** Commits what is staged and records what is durable: at the end always, before that as often as it pays. */
  #checkpoint(final: boolean): Promise<void> {
    const turn = this.#checkpointing.then(async () => {
      if (!final && !this.#checkpointDue()) return
      await this.#commit(final)
      await this.#record()
    })
    this.#checkpointing = turn
    return turn
  }

  #checkpointDue(): boolean {
    if (this.#staged.size > 0 && this.#stage.commitDue?.()) return true
    const due = this.#options.monotonic() - this.#lastCheckpoint >= this.#options.checkpointEvery
    return due && this.#unrecorded.succeeded.length + this.#unrecorded.failed.length > 0
  }

  async #commit(final: boolean): Promise<void> {
    if (this.#staged.size === 0 || !(final || this.#stage.commitDue?.())) return
    const batch = [...this.#staged]
    try {
      await this.#stage.commit?.()
    } catch (error) {
      // Unknown, so not done: the next pass looks at the destination and completes them.
      for (const [run] of batch) this.#staged.delete(run)
      this.#unknown.push(...batch.map(([run]) => run))
      this.#stopFor(error)
      return
    }
    for (const [run, staged] of batch) {
      this.#staged.delete(run)
      this.#done(run, staged)
    }
  }

  async #record(): Promise<void> {
    const { succeeded, failed } = this.#unrecorded
    const done = RunSet.of(succeeded)
    const bad = RunSet.of(failed)
    const stored = this.#stored.union(done)
    const open = [...this.#inFlight, ...this.#staged.keys(), ...this.#unknown]
    const attempted = attemptedUpTo(this.#lastAttempted, this.#failed, stored, open)
    if (succeeded.length + failed.length === 0 && attempted === this.#lastAttempted) return
    this.#unrecorded = { succeeded: [], failed: [] }
    this.#stored = stored
    const { monotonic, listener } = this.#options
    try {
      const lastContiguous = this.#stored.lastContiguous
      await this.#recorder.checkpoint({
        failed: bad,
        resolved: done,
        attemptedUpTo: attempted,
        lastContiguous,
      })
    } catch (error) {
      // What is stored is stored, recorded or not. A failure that is not in the log has not failed: it is pending (I2).
      for (const run of failed) this.#failed.delete(run)
      this.#unknown.push(...failed)
      this.#stopFor(error)
      return
    }
    this.#lastAttempted = attempted
    this.#lastCheckpoint = monotonic()
    const milliseconds = this.#lastCheckpoint - this.#batchStarted
    this.#batchStarted = this.#lastCheckpoint
    listener({
      type: 'batch-committed',
      stage: this.#stage.name,
      batch: ++this.#batch,
      runs: done,
      failed: bad,
      milliseconds,
    })
  }

  #outcome(): StageOutcome {
    const succeeded = RunSet.of(this.#succeeded)
    const failed = RunSet.of(this.#failed)
    const attempted = succeeded.union(failed)
    return {
      stage: this.#stage.name,
      attempted,
      succeeded,
      failed,
      pending: this.#work.runs.minus(attempted),
      bytes: this.#bytes,
      milliseconds: this.#options.monotonic() - this.#started,
      stopped: this.#stopped,
      error: this.#error,
    }
  }
}
