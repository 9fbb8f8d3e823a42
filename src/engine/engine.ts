import { ArchiverError } from '../errors.ts'
import { type AttemptOptions, attempt, errorOf, judge } from './attempt.ts'
import { type Failing, isItems, isSuspicious, storeAtFault, Suspicion } from './suspicion.ts'
import type { Backlog, Claim, FailedClaim } from './backlog.ts'
import { ClaimBuffer } from './claim-buffer.ts'
import { Results } from './results.ts'
import type { Processed, Stage, StageOutcome, StopReason } from './stage.ts'

export interface EngineOptions extends AttemptOptions {
  readonly mode: string
  readonly workers: number
  /** Items that are not ready: only counted here. */
  readonly waiting: number
  /** Milliseconds, never jumping. */
  readonly monotonic: () => number
  /** At most this often, in milliseconds, is progress recorded during a pass. */
  readonly checkpointEvery: number
}

/**
 * Runs one stage over the items of a backlog until nothing is due. What it promises: an item is only ever called done after the
 * destination has made it durable and compared it, and only settled after that; one bad item never blocks the rest; a destination that
 * is away stops the pass and leaves its items pending. Killed at any moment, the backlog hands out again what was not settled. Never
 * throws for what items do.
 */
export const runStage = async <Item>(
  stage: Stage<Item>,
  backlog: Backlog<Item>,
  options: EngineOptions,
): Promise<StageOutcome<Item>> => new Pass(stage, backlog, options).run()

interface Staged {
  readonly processed: Processed
  readonly milliseconds: number
}

class Pass<Item> {
  readonly #stage: Stage<Item>
  readonly #backlog: Backlog<Item>
  readonly #options: EngineOptions
  readonly #claims: ClaimBuffer<Item>
  /** Processed, but not yet committed: as good as in flight. */
  readonly #staged = new Map<Claim<Item>, Staged>()
  readonly #results = new Results<Item>()
  readonly #started: number
  #unsettled: { done: Claim<Item>[]; failed: FailedClaim<Item>[] } = { done: [], failed: [] }
  readonly #suspicion = new Suspicion<Item>()
  #lastCheckpoint: number
  #batch = 0
  #batchStarted: number
  #stopped: StopReason | undefined
  #error: Error | undefined
  /** Checkpoints run one after the other, whoever asks for them. */
  #checkpointing: Promise<void> = Promise.resolve()

  constructor(stage: Stage<Item>, backlog: Backlog<Item>, options: EngineOptions) {
    this.#stage = stage
    this.#backlog = backlog
    this.#options = options
    this.#claims = new ClaimBuffer(backlog, options.workers)
    this.#started = this.#lastCheckpoint = this.#batchStarted = options.monotonic()
  }

  async run(): Promise<StageOutcome<Item>> {
    const { listener, mode, workers, waiting, monotonic } = this.#options
    const { total } = this.#backlog
    const stage = this.#stage.name
    listener({ type: 'pass-started', stage, mode, total, waiting })
    const atOnce = Math.min(workers * (1 + (this.#stage.waits ?? 0)), Math.max(1, total ?? Infinity))
    await Promise.all(Array.from({ length: atOnce }, () => this.#worker()))
    await this.#backlog.release(await this.#claims.drain())
    await this.#checkpoint(true)
    await this.#judgeLast(this.#suspicion.clear())
    if (this.#stopped) listener({ type: 'pass-stopped', stage, reason: this.#stopped, error: this.#error })
    const common = {
      bytes: this.#results.bytes,
      milliseconds: monotonic() - this.#started,
      stopped: this.#stopped,
      error: this.#error,
    }
    const { succeeded, failed } = this.#results.counts
    const pending = total === undefined ? undefined : total - succeeded - failed
    listener({ type: 'pass-finished', stage, summary: { ...common, succeeded, failed, pending } })
    return { ...common, ...this.#results.lists(), lost: this.#results.lost }
  }

  async #worker(): Promise<void> {
    while (!this.#stopped) {
      if (this.#options.stop.aborted) {
        this.#halt('signal', undefined)
        return
      }
      const claim = await this.#claims.take().catch((error: unknown) => this.#stopFor(error))
      if (!claim) return
      await this.#one(claim)
      // Not waited for: items go on while others are committed. What goes wrong there stops the pass, or comes up at its end.
      this.#checkpoint(false).catch(() => undefined)
    }
  }

  async #one(claim: Claim<Item>): Promise<void> {
    const { monotonic } = this.#options
    if (claim.lost?.aborted) {
      this.#losing(claim)
      return
    }
    const began = monotonic()
    try {
      const processed = await attempt(this.#stage, claim, this.#options)
      const staged = { processed, milliseconds: monotonic() - began }
      if (this.#stage.commit) this.#staged.set(claim, staged)
      else this.#done(claim, staged)
    } catch (thrown) {
      const error = errorOf(thrown)
      // What a claim came to that was lost meanwhile is for its new holder to find out.
      if (claim.lost?.aborted) {
        this.#losing(claim)
        return
      }
      const verdict = judge(error)
      if (verdict === 'failed') {
        const failing = { claim, error, milliseconds: monotonic() - began }
        if (isSuspicious(error)) await this.#blameStore(this.#suspicion.add(failing))
        else this.#fail([failing])
      } else if (verdict === 'pending') {
        await this.#backlog.later(claim, error).catch((failure: unknown) => this.#stopFor(failure))
      } else {
        this.#halt(verdict, error)
        await this.#backlog.release([claim])
      }
    }
  }

  #fail(failing: readonly Failing<Item>[]): void {
    const stage = this.#stage.name
    for (const { claim, error, milliseconds } of failing) {
      this.#results.fail({ claim, error })
      this.#unsettled.failed.push({ claim, error })
      this.#options.listener({ type: 'item-failed', stage, key: claim.key, error, milliseconds })
    }
  }

  async #blameStore(blameless: readonly Failing<Item>[]): Promise<void> {
    if (blameless.length === 0) return
    if (!this.#stopped) this.#halt('unavailable', storeAtFault(this.#stage.name, blameless))
    await this.#backlog.release(blameless.map(({ claim }) => claim))
  }

  /** Failures that no other item came after. They are the items' where the store took others. */
  async #judgeLast(held: readonly Failing<Item>[]): Promise<void> {
    if (held.length === 0) return
    const isOwn = held.every(isItems) || this.#results.counts.succeeded > 0
    if (this.#stopped || !isOwn) return this.#blameStore(held)
    this.#fail(held)
    await this.#checkpoint(true)
  }

  #done(claim: Claim<Item>, { processed, milliseconds }: Staged): void {
    const { key } = claim
    this.#fail(this.#suspicion.clear())
    this.#results.succeed(claim, processed.bytes)
    this.#unsettled.done.push(claim)
    this.#options.listener({ type: 'item-done', stage: this.#stage.name, key, processed, milliseconds })
  }

  #losing({ key }: Claim<Item>): void {
    this.#results.lost += 1
    this.#options.listener({ type: 'item-lost', stage: this.#stage.name, key })
  }

  /** Ends the pass after something that concerns more than one item. */
  #stopFor(thrown: unknown): undefined {
    const error = errorOf(thrown)
    const isLockLost = error instanceof ArchiverError && error.code === 'LOCK_LOST'
    this.#halt(isLockLost ? 'lock-lost' : 'unavailable', error)
  }

  #halt(reason: StopReason, error: Error | undefined): void {
    this.#stopped ??= reason
    this.#error ??= error
  }

  /** Commits what is staged and settles what is durable: at the end always, before that as often as it pays. */
  #checkpoint(final: boolean): Promise<void> {
    const turn = this.#checkpointing.then(async () => {
      if (!final && !this.#checkpointDue()) return
      await this.#commit(final)
      await this.#settle()
    })
    this.#checkpointing = turn
    return turn
  }

  #checkpointDue(): boolean {
    if (this.#staged.size > 0 && this.#stage.commitDue?.()) return true
    const due = this.#options.monotonic() - this.#lastCheckpoint >= this.#options.checkpointEvery
    return due && this.#unsettled.done.length + this.#unsettled.failed.length > 0
  }

  async #commit(final: boolean): Promise<void> {
    if (this.#staged.size === 0 || !(final || this.#stage.commitDue?.())) return
    const batch = [...this.#staged]
    for (const [claim] of batch) this.#staged.delete(claim)
    try {
      await this.#stage.commit?.()
    } catch (error) {
      // Unknown, so not done: the next pass looks at the destination and completes them.
      this.#stopFor(error)
      await this.#backlog.release(batch.map(([claim]) => claim))
      return
    }
    for (const [claim, staged] of batch) this.#done(claim, staged)
  }

  async #settle(): Promise<void> {
    const { done, failed } = this.#unsettled
    this.#unsettled = { done: [], failed: [] }
    let lost: readonly string[]
    try {
      lost = await this.#backlog.settle({ done, failed })
    } catch (error) {
      // What is stored is stored, settled or not.
      this.#results.unfail(failed)
      this.#stopFor(error)
      return
    }
    const fenced = new Set(lost)
    for (const claim of [...done, ...failed.map((one) => one.claim)].filter(({ key }) => fenced.has(key))) {
      this.#results.withdraw(claim)
      this.#losing(claim)
    }
    const { monotonic, listener } = this.#options
    this.#lastCheckpoint = monotonic()
    if (done.length + failed.length === fenced.size) return
    const milliseconds = this.#lastCheckpoint - this.#batchStarted
    this.#batchStarted = this.#lastCheckpoint
    listener({
      type: 'batch-committed',
      stage: this.#stage.name,
      batch: ++this.#batch,
      done: done.map(({ key }) => key).filter((key) => !fenced.has(key)),
      failed: failed.map(({ claim }) => claim.key).filter((key) => !fenced.has(key)),
      milliseconds,
    })
  }
}
