import { dirname } from 'node:path'
import { makeFolderNow } from '../../platform/make-folder.ts'
import type { ClaimStore, QueueItem, StoredClaim, StoredFailure } from '../../engine/claim-store.ts'
import type { Identity } from '../../platform/host.ts'
import { openFile, type SqliteFile } from '../../sql/libsql-database.ts'
import { reasonText } from '../claim-rows.ts'
import * as claims from './claims.ts'
import { Leadership } from './leadership.ts'
import { Liveness } from './liveness.ts'
import { SqliteOverview } from './overview.ts'
import { InstanceRow } from './instance-row.ts'
import * as steering from './steering.ts'
import { Tally } from '../instance-tally.ts'
import { prepareTables } from './schema.ts'
import { SharedClock } from './shared-clock.ts'
import { assertInPlace, type Kept, READ_WAIT, rememberFile, unavailable, write } from './transaction.ts'

export interface SqliteQueueOptions {
  /** The database file; made where it is missing. */
  readonly path: string
  /** A name of this process that no other has. */
  readonly instance: string
  readonly identity: Identity
  /** How long a claim lasts without a sign of life, in milliseconds. */
  readonly lease: number
  /** Epoch milliseconds by the wall clock, which may jump. */
  readonly now: () => number
  /** Milliseconds since boot, by a clock that all processes of the machine share. */
  readonly sinceBoot: () => number
  /** When a process began, by its pid; undefined where there is none (platform/host.ts). */
  readonly startTicksOf: (pid: number) => number | undefined
  /** False only for `queue` commands that look and do not work: no instance is registered. */
  readonly works: boolean
  /** Items that it works on at once, and processors that it may use: for `queue status`. */
  readonly workers?: number
  readonly processors?: number
}

/** What a lease says, a power cut ends together with its holder. */
const FLEETING: Kept = 'until a power cut'

/** Claims in one SQLite file: for several processes on one machine. */
export class SqliteQueue extends SqliteOverview implements ClaimStore {
  readonly #file: SqliteFile
  readonly #options: SqliteQueueOptions
  readonly #liveness: Liveness
  readonly #leadership: Leadership
  readonly #row: InstanceRow
  readonly #clock: SharedClock
  readonly tally: Tally

  private constructor(file: SqliteFile, options: SqliteQueueOptions, liveness: Liveness, clock: SharedClock) {
    const leadership = new Leadership(file, { ...options, now: clock.now })
    super(file, clock.now, leadership)
    this.#clock = clock
    this.#leadership = leadership
    this.#file = file
    this.#options = options
    this.#liveness = liveness
    this.#row = new InstanceRow(file, options.instance)
    this.tally = new Tally(options.instance)
  }

  /** Opens the queue, and registers this process as an instance. Throws QUEUE_UNAVAILABLE. */
  static async open(options: SqliteQueueOptions): Promise<SqliteQueue> {
    let file: SqliteFile | undefined
    let liveness: Liveness | undefined
    try {
      makeFolderNow(dirname(options.path))
      file = openFile(options.path, READ_WAIT)
      prepareTables(file, options.path)
      rememberFile(file, options.path)
      const clock = new SharedClock(file, options.identity.bootId, options)
      liveness = new Liveness(file, `${options.path}.instances`, options, clock)
      const queue = new SqliteQueue(file, options, liveness, clock)
      if (options.works) await liveness.register((work) => queue.#write(work))
      return queue
    } catch (error) {
      await liveness?.abandon()
      file?.close()
      throw unavailable(options.path, error)
    }
  }

  get isLeading(): boolean {
    return this.#leadership.isLeading
  }

  now(): Promise<number> {
    return Promise.resolve(this.#now)
  }

  async enqueue(stage: string, items: Iterable<QueueItem>, missingAt: number): Promise<number> {
    let added = 0
    const batch: QueueItem[] = []
    const flush = async (): Promise<void> => {
      const these = batch.splice(0)
      added += await this.#write(() => claims.enqueue(this.#file, stage, these, missingAt, this.#now))
    }
    for (const item of items) if (batch.push(item) >= 5000) await flush()
    if (batch.length > 0) await flush()
    return added
  }

  async claim(stage: string, most: number, fairly = false): Promise<readonly StoredClaim[]> {
    if (
      !this.#any(
        `SELECT 1 FROM work INDEXED BY work_due WHERE stage = ? AND status = 'pending' AND not_before <= ? LIMIT 1`,
        [stage, this.#now],
      )
    )
      return []
    const { instance } = this.#options
    const given = await this.#write(() => {
      const limit = fairly ? claims.shareOf(this.#file, stage, most) : most
      const these = claims.claim(this.#file, stage, limit, instance, this.#now, this.#leaseUntil)
      this.#row.claimed(these.length)
      return these
    }, FLEETING)
    this.tally.claims += given.length
    return given
  }

  renew(held: readonly StoredClaim[]): Promise<readonly StoredClaim[]> {
    const { instance } = this.#options
    return this.#write(() => {
      this.#row.beat(this.#now)
      return claims.renew(this.#file, held, instance, this.#leaseUntil)
    }, FLEETING)
  }

  async settle(
    done: readonly StoredClaim[],
    failed: readonly StoredFailure[],
    nextStage?: string,
  ): Promise<readonly StoredClaim[]> {
    const { instance } = this.#options
    const refused = await this.#write(() => {
      const now = this.#now
      const lost = claims.settleDone(this.#file, done, instance, now)
      const lostFailures = claims.settleFailed(this.#file, failed, instance, now)
      const accepted = done.filter((one) => !lost.includes(one))
      if (nextStage !== undefined) claims.enqueueNext(this.#file, nextStage, accepted, now)
      const fenced = lost.length + lostFailures.length
      this.#row.settled({ done: accepted.length, failed: failed.length - lostFailures.length, fenced }, now)
      return [...lost, ...lostFailures]
    })
    this.tally.fenced += refused.length
    return refused
  }

  later(one: StoredClaim, reason: string, delay: number): Promise<void> {
    const { instance } = this.#options
    return this.#write(() => claims.giveBack(this.#file, [one], instance, this.#now + delay, reason))
  }

  release(held: readonly StoredClaim[]): Promise<void> {
    const { instance } = this.#options
    return this.#write(() => claims.giveBack(this.#file, held, instance, 0, null))
  }

  async reap(): Promise<number> {
    const now = this.#now
    assertInPlace(this.#file, this.#options.path)
    if (this.#options.works && this.#row.isSilent(now)) await this.#write(() => this.#row.beat(now), FLEETING)
    const dead = await this.#liveness.dead()
    if (
      dead.length === 0 &&
      !this.#any(`SELECT 1 FROM work WHERE status = 'claimed' AND lease_until < ? LIMIT 1`, [now])
    )
      return 0
    const taken = await this.#write(() => {
      const count = steering.bury(this.#file, dead, now)
      this.#row.recovered(count)
      return count
    })
    this.tally.recovered += taken
    return taken
  }

  retry(stage: string, keys: readonly string[] | undefined): Promise<number> {
    return this.#write(() => steering.reopen(this.#file, stage, keys))
  }

  adoptFailures(stage: string, items: readonly QueueItem[], kept: readonly string[] = []): Promise<void> {
    return this.#write(() => steering.adoptFailures(this.#file, stage, items, kept, this.#now))
  }

  pause(stage: string): Promise<void> {
    return this.#setStage(stage, 'paused_at = ?', [this.#now])
  }

  resume(stage: string): Promise<void> {
    return this.#setStage(stage, 'paused_at = NULL, blocked_until = NULL, blocked_reason = NULL', [])
  }

  block(stage: string, reason: string, milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds
    return this.#setStage(stage, 'blocked_until = ?, blocked_reason = ?', [until, reasonText(reason)])
  }

  async lead(): Promise<boolean> {
    if (await this.#leadership.take()) return true
    // A leader that was killed leads no more, however long its lease.
    if ((await this.#liveness.dead()).length === 0) return false
    await this.reap()
    return this.#leadership.take()
  }

  exclusively<Result>(_what: string, work: () => Promise<Result>): Promise<Result> {
    return work()
  }

  async close(): Promise<void> {
    try {
      if (!this.#options.works) return
      await this.#leadership.resign()
      await this.#liveness.end((work) => this.#write(work))
    } finally {
      await this.abandon()
    }
  }

  /** Ends without a word, as a process that was killed: only the kernel's locks go. */
  async abandon(): Promise<void> {
    await this.#liveness.abandon()
    this.#file.close()
  }

  get #now(): number {
    return this.#clock.now()
  }

  get #leaseUntil(): number {
    return this.#now + this.#options.lease
  }

  #setStage(stage: string, sets: string, values: readonly unknown[]): Promise<void> {
    return this.#write(() => steering.setStage(this.#file, stage, sets, values))
  }

  #any(sql: string, values: readonly unknown[]): boolean {
    return this.#file.prepare(sql).all(values).length > 0
  }

  #write<Result>(work: () => Result, kept?: Kept): Promise<Result> {
    return write(this.#file, this.#options.path, work, kept)
  }
}
