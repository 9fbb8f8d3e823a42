import type { PgBoss } from 'pg-boss'
import type { ClaimStore, QueueItem, StoredClaim, StoredFailure } from '../../engine/claim-store.ts'
import { schemaName } from '../../sql/database-url.ts'
import { makeOnce } from '../../sql/make.ts'
import { reasonText } from '../claim-rows.ts'
import { byStage, refused } from './by-stage.ts'
import { claim } from './claim.ts'
import { ClockSetBack } from './clock-set-back.ts'
import * as claims from './claims.ts'
import { Connections, type PostgresPlace, type Sql } from './connection.ts'
import { enqueue } from './enqueue.ts'
import { exclusively } from './exclusive.ts'
import { QUEUE_OPTIONS, queueName } from './jobs.ts'
import { Leadership } from './leadership.ts'
import { type InstanceOptions, Liveness } from './liveness.ts'
import { PostgresOverview } from './overview.ts'
import { LeftInStages } from './left.ts'
import { Tally } from '../instance-tally.ts'
import { settle } from './settle.ts'
import { bossOf, migrateTables, startOnTables } from './schema.ts'
import * as steering from './steering.ts'
import { SuspectInHand } from './suspect-in-hand.ts'

export interface PostgresQueueOptions extends PostgresPlace, InstanceOptions {
  /** How long a claim lasts without a sign of life, in milliseconds. */
  readonly lease: number
  /** False only for `queue` commands that look and do not work: no instance is registered. */
  readonly works: boolean
}

/** A queue of pg-boss on PostgreSQL: for many machines. Only the server's clock decides about leases. */
export class PostgresQueue extends PostgresOverview implements ClaimStore {
  readonly #options: PostgresQueueOptions
  readonly #connections: Connections
  readonly #boss: PgBoss
  readonly #liveness: Liveness
  readonly #leadership: Leadership
  readonly #clock: ClockSetBack
  readonly #queues = new Set<string>()
  readonly #left: LeftInStages
  readonly #suspect: SuspectInHand
  readonly tally: Tally

  private constructor(options: PostgresQueueOptions, connections: Connections, boss: PgBoss) {
    const { schema, instance, lease, lookEvery, monotonic } = options
    const leadership = new Leadership({ sql: connections, schema, instance, monotonic })
    super(connections, schema, leadership)
    this.#options = options
    this.#connections = connections
    this.#boss = boss
    this.#liveness = new Liveness(connections, options)
    this.#leadership = leadership
    this.#clock = new ClockSetBack({ sql: connections, schema, lease, lookEvery, monotonic })
    this.#left = new LeftInStages(monotonic)
    this.#suspect = new SuspectInHand(options)
    this.tally = new Tally(instance)
  }

  /** Connects, and registers this process as an instance. Throws QUEUE_UNAVAILABLE, also where `queue migrate` has not been run. */
  static async open(options: PostgresQueueOptions): Promise<PostgresQueue> {
    const schema = schemaName(options.schema)
    const connections = new Connections(options)
    let queue: PostgresQueue | undefined
    try {
      const boss = await bossOf(connections, schema, options.migrate ?? false)
      if (options.migrate) await migrateTables(boss, connections, schema)
      else await startOnTables(boss, connections, schema)
      queue = new PostgresQueue(options, connections, boss)
      if (options.works) await queue.#liveness.register()
      return queue
    } catch (error) {
      await queue?.abandon()
      await connections.close()
      throw error
    }
  }

  get isLeading(): boolean {
    return this.#leadership.isLeading
  }

  async now(): Promise<number> {
    const { rows } = await this.#connections.executeSql(
      'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now',
    )
    return Number(rows[0]?.['now'])
  }

  async enqueue(stage: string, items: Iterable<QueueItem>, missingAt: number): Promise<number> {
    let added = 0
    const batch: QueueItem[] = []
    const flush = async (): Promise<void> => {
      const these = batch.splice(0)
      added += await this.#write((work) => enqueue(work, stage, these, missingAt), stage)
    }
    for (const item of items) if (batch.push(item) >= 5000) await flush()
    if (batch.length > 0) await flush()
    return added
  }

  async claim(stage: string, most: number, fairly = false): Promise<readonly StoredClaim[]> {
    // Nor for a moment: what is claimed is blamed, too, if the suspect ends this process.
    if (this.#suspect.isHeld) return []
    await this.#liveness.holdLock()
    await this.#ensureQueue(stage)
    const share = fairly ? await this.#left.shareOf(this.#work(this.#connections), stage, most) : most
    if (share === 0) return []
    const { lease } = this.#options
    const given = await this.#connections.statements((sql) => claim(this.#work(sql), stage, share, lease))
    const { claims: ours, back, left, suspect } = given
    this.#suspect.hold(suspect)
    this.#left.note(stage, left)
    if (back.length > 0) await this.#write((work) => claims.giveBack(work, back, 0, null))
    this.tally.claims += ours.length
    return ours
  }

  async renew(held: readonly StoredClaim[]): Promise<readonly StoredClaim[]> {
    const { lease } = this.#options
    await this.#liveness.beat(0)
    const renewed = this.#write((work) => refused(held, (these) => claims.renew(work, these, lease)))
    return this.#suspect.renewed(held, await renewed)
  }

  async settle(
    done: readonly StoredClaim[],
    failed: readonly StoredFailure[],
    nextStage?: string,
  ): Promise<readonly StoredClaim[]> {
    if (nextStage !== undefined) await this.#ensureQueue(nextStage)
    const isAlone = failed.length === 0 && nextStage === undefined && byStage(done).length === 1
    const refusals = isAlone
      ? await this.#connections.statements((sql) => settle(this.#work(sql), done, [], undefined))
      : await this.#write((work) => settle(work, done, failed, nextStage))
    this.#suspect.ended([...done, ...failed.map(({ claim: one }) => one)])
    this.tally.fenced += refusals.length
    return refusals
  }

  async later(one: StoredClaim, reason: string, delay: number): Promise<void> {
    await this.#write((work) => claims.giveBack(work, [one], delay, reason))
    this.#suspect.ended([one])
  }

  async release(held: readonly StoredClaim[]): Promise<void> {
    await this.#write((work) => refused(held, (these) => claims.giveBack(work, these, 0, null)))
    this.#suspect.ended(held)
  }

  async reap(): Promise<number> {
    if (this.#options.works) {
      await this.#liveness.beat()
      await this.#clock.makeDue()
    }
    return this.#reap(await this.#liveness.dead())
  }

  retry(stage: string, keys: readonly string[] | undefined): Promise<number> {
    return this.#write((work) => steering.reopen(work, stage, keys === undefined ? {} : { only: keys }))
  }

  async adoptFailures(
    stage: string,
    items: readonly QueueItem[],
    kept: readonly string[] = [],
  ): Promise<void> {
    await this.#write((work) => steering.adoptFailures(work, stage, items, kept), stage)
  }

  pause(stage: string): Promise<void> {
    return this.#setStage(stage, 'paused_at = clock_timestamp()', [])
  }

  resume(stage: string): Promise<void> {
    return this.#setStage(stage, 'paused_at = NULL, blocked_until = NULL, blocked_reason = NULL', [])
  }

  block(stage: string, reason: string, milliseconds: number): Promise<void> {
    const sets = `blocked_until = clock_timestamp() + $2 * interval '1 ms', blocked_reason = $3`
    return this.#setStage(stage, sets, [milliseconds, reasonText(reason)])
  }

  async lead(): Promise<boolean> {
    if (await this.#leadership.take()) return true
    const dead = await this.#liveness.dead()
    if (dead.length === 0) return false
    await this.#reap(dead)
    return this.#leadership.take()
  }

  exclusively<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    const { schema, lease } = this.#options
    return exclusively(this.#connections, { schema, what, lease }, work)
  }

  async close(): Promise<void> {
    if (this.#options.works)
      try {
        await this.#leadership.resign()
        await this.#write(async (work) => {
          await refused(await steering.heldBy(work), (these) => claims.giveBack(work, these, 0, null))
          await this.#liveness.end(work.sql)
        })
      } catch {
        // A server that is away: the others find out by the lock.
      }
    await this.abandon()
  }

  /** As kill -9: only the server's locks go. */
  async abandon(): Promise<void> {
    await this.#liveness.close()
    await this.#boss.stop({ graceful: false, close: false }).catch(() => undefined)
    await this.#connections.close()
  }

  async #reap(dead: readonly string[]): Promise<number> {
    if (dead.length === 0 && !(await steering.hasExpired(this.#connections, this.#options.schema))) return 0
    const taken = await this.#write((work) => steering.bury(work, dead))
    this.tally.recovered += taken
    return taken
  }

  #setStage(stage: string, sets: string, values: readonly unknown[]): Promise<void> {
    return this.#write((work) => steering.setStage(work, stage, sets, values))
  }

  /** One transaction; the queue of `stage` is made before it. */
  async #write<Result>(change: (work: claims.Work) => Promise<Result>, stage?: string): Promise<Result> {
    if (stage !== undefined) await this.#ensureQueue(stage)
    return this.#connections.transaction((sql) => change(this.#work(sql)))
  }

  #work(sql: Sql): claims.Work {
    const { schema, instance } = this.#options
    return { boss: this.#boss, sql, schema, instance }
  }

  async #ensureQueue(stage: string): Promise<void> {
    const name = queueName(stage)
    if (this.#queues.has(name)) return
    try {
      await makeOnce(() => this.#boss.createQueue(name, QUEUE_OPTIONS))
    } catch (error) {
      throw this.#connections.unavailable(error)
    }
    this.#queues.add(name)
  }
}
