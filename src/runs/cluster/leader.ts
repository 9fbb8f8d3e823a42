import { ArchiverError } from '../../errors.ts'
import { IdleScrub } from '../scrub/idle-scrub.ts'
import { Scanner } from './scan.ts'
import type { WorkerParts } from './worker-parts.ts'

/** How often the state files follow the queue while work goes on, in milliseconds. */
const PROJECT_EVERY = 2000

/**
 * The part of a worker that leads, where it is the one: it scans and writes the state files. Every worker has one, and tries to take the
 * role; it is kept by a lease, so that a leader that is killed, stopped or cut off is replaced.
 */
export class Leader {
  readonly #parts: WorkerParts
  readonly #scanner: Scanner
  readonly #idleScrub = new IdleScrub()
  #scrubbedAt = -Infinity
  #scannedAt = -Infinity
  #projectedAt = -Infinity
  /** What a leader does, it does one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: WorkerParts) {
    this.#parts = parts
    this.#scanner = new Scanner(parts.archiver, parts.store, parts.stages, parts.conditions)
  }

  /** Nothing is pending or in hand in the stages of this worker. */
  async isEmpty(): Promise<boolean> {
    const { store, stages } = this.#parts
    const counts = await store.counts()
    return counts.every(
      ({ stage, pending, claimed }) => !stages.some((one) => one === stage) || pending + claimed === 0,
    )
  }

  /** Scans when it is time to, or when a worker asked for it. */
  async scanWhenDue(): Promise<void> {
    const { store, monotonic, scanEvery } = this.#parts
    const isDue = monotonic() - this.#scannedAt >= scanEvery
    const { wantedAt = 0, beganAt = 0 } = isDue || !store.isLeading ? {} : await store.lastScan()
    if (isDue || wantedAt > beganAt) await this.#scan()
  }

  /** While work goes on: keeps the role, and the state files in step. */
  async keepUp(): Promise<void> {
    const { store, monotonic } = this.#parts
    if (!store.isLeading || !(await store.lead())) return
    if (monotonic() - this.#projectedAt >= PROJECT_EVERY) await this.#project()
  }

  /**
   * Whether a scan that began after `emptySince` found nothing, nothing has come since, and the state files say so: by this worker where it
   * leads, otherwise by the leader, which is asked for a scan.
   */
  async isFinal(emptySince: number): Promise<boolean> {
    const { store } = this.#parts
    const last = await store.lastScan()
    if ((last.beganAt ?? 0) >= emptySince) return last.added === 0 && this.isEmpty()
    if (!(await this.#scan()) && (last.wantedAt ?? 0) < emptySince) await store.wantScan()
    return false
  }

  /** `scrub`, once after each scan that could be made. */
  async scrubWhenDue(): Promise<void> {
    if (this.#scannedAt > this.#scrubbedAt) await this.scrub()
  }

  /**
   * Notes what was migrated as compared, and compares archived runs for a share of the time (`scrub.share`), where this worker leads: one process
   * writes down what was compared. Others take over meanwhile what is to be done.
   */
  async scrub(): Promise<void> {
    const { archiver, store, conditions, monotonic } = this.#parts
    this.#scrubbedAt = monotonic()
    if (!store.isLeading) return
    const { plan, migrated } = this.#scanner.takeMigrated()
    await this.#idleScrub.turn(archiver, plan ? [plan] : [], conditions, migrated)
  }

  /** At the end of a worker: what it did stands in the files before another leads. */
  async finish(): Promise<void> {
    if (this.#parts.store.isLeading) await this.#project().catch(() => undefined)
  }

  /** False where another leads, or the scan could not be made. */
  #scan(): Promise<boolean> {
    const { store, conditions, monotonic } = this.#parts
    return this.#inTurn(async () => {
      try {
        if (!(await store.lead())) return false
        const beganAt = await store.now()
        const added = await this.#scanner.scan()
        await this.#scanner.project()
        await store.noteScan(beganAt, added)
        this.#scannedAt = this.#projectedAt = monotonic()
        return true
      } catch (error) {
        if (!(error instanceof ArchiverError) || error.code === 'QUEUE_UNAVAILABLE') throw error
        conditions.warn(`cannot scan: ${error.message}`)
        return false
      }
    })
  }

  #project(): Promise<void> {
    const { store, conditions, monotonic } = this.#parts
    return this.#inTurn(async () => {
      try {
        if (!store.isLeading) return
        await this.#scanner.project()
        this.#projectedAt = monotonic()
      } catch (error) {
        if (!(error instanceof ArchiverError) || error.code === 'QUEUE_UNAVAILABLE') throw error
        conditions.warn(`cannot write the state files: ${error.message}`)
      }
    })
  }

  #inTurn<Result>(job: () => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(job)
    this.#turn = mine.catch(() => undefined)
    return mine
  }
}
