import type { Backlog, Claim, Results } from '../engine/backlog.ts'
import type { ClaimStore, StoredClaim } from '../engine/claim-store.ts'
import { ArchiverError, messageOf } from '../errors.ts'

export interface QueueBacklogOptions<Item> {
  readonly stage: string
  readonly itemOf: (key: string) => Item
  /** The stage that an item enters when it is done here. */
  readonly nextStage?: string
  /** How long a claim lasts, in milliseconds; it is renewed four times as often. */
  readonly lease: number
  /** After how long an item that was not ready is due again, in milliseconds. */
  readonly laterAfter: number
  /** Milliseconds, never jumping. */
  readonly monotonic: () => number
}

interface Held {
  readonly stored: StoredClaim
  readonly lost: AbortController
}

/**
 * One stage of a shared backlog, as one instance works on it. Keeps its claims alive, and aborts an item as soon as its claim is lost or
 * cannot be renewed in time: whoever wakes late does nothing. The store refuses late results all the same.
 */
export class QueueBacklog<Item> implements Backlog<Item> {
  readonly total = undefined
  readonly ahead = 3
  readonly #store: ClaimStore
  readonly #options: QueueBacklogOptions<Item>
  readonly #held = new Map<string, Held>()
  #deadline = Infinity
  #timer: NodeJS.Timeout | undefined

  constructor(store: ClaimStore, options: QueueBacklogOptions<Item>) {
    this.#store = store
    this.#options = options
  }

  async next(most: number): Promise<readonly Claim<Item>[]> {
    const { stage, itemOf, monotonic, lease } = this.#options
    this.#checkDeadline()
    // From before the question: the store's lease begins after that.
    const asked = monotonic()
    const claims = await this.#store.claim(stage, most, true)
    if (claims.length > 0) this.#deadline = Math.min(this.#deadline, asked + lease * MARGIN)
    return claims.map((stored) => {
      const lost = new AbortController()
      this.#held.set(stored.key, { stored, lost })
      this.#keepAlive()
      const { key, attempt } = stored
      return { item: itemOf(key), key, attempt, lost: lost.signal }
    })
  }

  async settle({ done, failed }: Results<Item>): Promise<readonly string[]> {
    this.#checkDeadline()
    const claims = [...done, ...failed.map(({ claim }) => claim)]
    const held = claims.filter((claim) => this.#heldOf(claim).length > 0)
    const lost = claims.filter((claim) => !held.includes(claim)).map(({ key }) => key)
    if (held.length === 0) return lost
    try {
      const refused = await this.#store.settle(
        done.flatMap((claim) => this.#heldOf(claim)),
        failed.flatMap(({ claim, error }) =>
          this.#heldOf(claim).map((stored) => ({
            claim: stored,
            code: error instanceof ArchiverError ? error.code : 'BUG',
            message: messageOf(error),
          })),
        ),
        this.#options.nextStage,
      )
      lost.push(...refused.map(({ key }) => key))
    } catch (error) {
      // Nobody works on them any more: kept, they would be renewed until this process ends. What was recorded all the same is not given back.
      await this.release(held)
      throw error
    }
    this.#dropAll(held)
    return lost
  }

  async later(claim: Claim<Item>, reason: Error): Promise<void> {
    const [stored] = this.#heldOf(claim)
    this.#dropAll([claim])
    if (stored) await this.#store.later(stored, messageOf(reason), this.#options.laterAfter)
  }

  async release(claims: readonly Claim<Item>[]): Promise<void> {
    const stored = claims.flatMap((claim) => this.#heldOf(claim))
    this.#dropAll(claims)
    // A store that does not answer gives them to others when the lease runs out.
    if (stored.length > 0) await this.#store.release(stored).catch(() => undefined)
  }

  /** Renews every claim in hand; what does not come back, or cannot be renewed before its time, is lost. */
  async renew(): Promise<void> {
    const { monotonic, lease } = this.#options
    this.#checkDeadline()
    const held = [...this.#held.values()]
    const asked = monotonic()
    try {
      const lost = await this.#store.renew(held.map(({ stored }) => stored))
      // Nothing may be in hand by now, and what is claimed later has a time of its own.
      if (this.#held.size > 0) this.#deadline = asked + lease * MARGIN
      // By object: a key may have been settled and claimed again while the question was on its way.
      const gone = new Set(lost)
      for (const one of held) if (gone.has(one.stored)) this.#lose(one)
    } catch {
      this.#checkDeadline()
    }
  }

  /** After this time others may have the items: a process that was frozen finds it out here. */
  #checkDeadline(): void {
    if (this.#options.monotonic() < this.#deadline) return
    for (const one of [...this.#held.values()]) this.#lose(one)
    this.#deadline = Infinity
  }

  #lose({ stored, lost }: Held): void {
    if (this.#held.get(stored.key)?.stored === stored) this.#drop(stored.key)
    lost.abort(new ArchiverError('QUEUE_CLAIM_LOST', `the claim on ${stored.key} was lost`))
  }

  /** Not by the key alone: a claim that was lost may have been given to us again, while the first try has not ended yet. */
  #heldOf({ key, lost }: Claim<Item>): StoredClaim[] {
    const held = this.#held.get(key)
    return held && held.lost.signal === lost ? [held.stored] : []
  }

  #dropAll(claims: readonly Claim<Item>[]): void {
    for (const claim of claims) if (this.#heldOf(claim).length > 0) this.#drop(claim.key)
  }

  #drop(key: string): void {
    this.#held.delete(key)
    if (this.#held.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#deadline = Infinity
  }

  /** Looks at its own time more often than it asks the store: a store that does not answer must not make it late. */
  #keepAlive(): void {
    let looks = 0
    this.#timer ??= setInterval(
      () => {
        if (++looks % LOOKS === 0) void this.renew()
        else this.#checkDeadline()
      },
      this.#options.lease / 4 / LOOKS,
    )
  }
}

/** Looks at the clock for each renewal. */
const LOOKS = 5

/** The part of a lease after which this process stops by itself. */
const MARGIN = 0.8
