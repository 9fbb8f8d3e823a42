import { ageText, durationText } from '../../common/duration.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import { isMissing } from '../../sql/open-database.ts'
import type { Row } from './row.ts'
import type { LedgerStore, WriterOptions, WriterWords } from './writer-options.ts'

const OF_A_PASS: WriterWords = { subject: 'The ledger', goesOn: 'archiving goes on' }

const WARN_EVERY = 60_000
const ROWS_AT_ONCE = 500

/**
 * Writes behind the back of the work: `wake` only sets a timer. Nothing here throws, and nothing waits longer than `timeout`: a
 * ledger that fails is warned of once a minute, left alone for `retryEvery`, and what it misses goes to the spool.
 */
export class LedgerWriter<Store extends LedgerStore> {
  readonly #options: WriterOptions<Store>
  #store: Store | undefined
  /** Connected, and still being given what waited. */
  #opening: Store | undefined
  #timer: NodeJS.Timeout | undefined
  /** Flushes run one after the other. */
  #turn: Promise<void> = Promise.resolve()
  #failedAt = -Infinity
  #warnedAt = -Infinity
  #downSince: number | undefined
  #spooled = 0
  /** The spool cannot be written either, as far as is known. */
  #isLosing = false
  #off = false
  #writing = false
  /** What was taken to be written and is not known to be: written a second time it does no harm. */
  #unwritten: readonly Row[] = []
  #failures = 0

  constructor(options: WriterOptions<Store>) {
    this.#options = options
  }

  /** Tries that failed, for the metric. */
  get failures(): number {
    return this.#failures
  }

  get store(): Store | undefined {
    return this.#store
  }

  /** Something changed: it is written within `flushEvery`. */
  wake(): void {
    if (this.#timer || this.#off) return
    this.#timer = setTimeout(() => void this.flush(), this.#options.flushEvery)
    this.#timer.unref()
  }

  /** Writes what changed now. Resolves when it is written, or spooled. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#turn = this.#turn.then(() => this.#write())
    return this.#turn
  }

  /** Waits no more for what is being written, where the store can: it is spooled. */
  giveUp(why: Error): void {
    if (this.#writing) (this.#store ?? this.#opening)?.giveUp?.(why)
  }

  /** Puts rows where they survive this process, before it returns. */
  writeNow(rows: readonly Row[]): void {
    if (this.#off) return
    try {
      // In the middle of a transaction the words would end with it, should the process end before it is committed.
      if (this.#store?.writeNow && !this.#writing) {
        this.#store.writeNow(rows)
        return
      }
    } catch {
      // Another process writes just now, or the disk is full.
    }
    this.#options.spool.append([...this.#unwritten, ...rows])
  }

  /** Flushes and closes, for at most `ms` milliseconds together; what is not written then is spooled. */
  async close(ms: number): Promise<void> {
    await within(ms, this.#flushAndClose()).catch((error: unknown) => {
      const rows = [...this.#unwritten, ...this.#options.drain()]
      this.#off = true
      this.#keep(rows)
      // One that never answers would else be noticed by nobody: each process ends before its request does.
      if (rows.length > 0) this.#warn(error)
      void (this.#store ?? this.#opening)?.close().catch(() => undefined)
    })
    this.#store = undefined
    this.#off = true
    this.#reportLost(this.#options.spool.takeLost())
  }

  async #flushAndClose(): Promise<void> {
    await this.flush()
    await this.#store?.close()
  }

  async #write(): Promise<void> {
    if (this.#off) return
    const { now, drain, retryEvery } = this.#options
    // Apart, not ahead: a clock that is set back must not keep it away until it has caught up.
    if (Math.abs(now() - this.#failedAt) < retryEvery) {
      this.#keep(drain())
      return
    }
    this.#writing = true
    try {
      const store = this.#store ?? (await this.#open())
      await this.#writeOwn(store)
      if (this.#downSince !== undefined) this.#recovered(this.#downSince)
    } catch (error) {
      if (this.#isOff()) return // closed meanwhile: what was unwritten is in the spool
      this.#failed(error)
    } finally {
      this.#unwritten = []
      this.#writing = false
    }
  }

  async #open(): Promise<Store> {
    const { connect, timeout, spool, onOpen, ownFirst = false } = this.#options
    const opening = connect()
    const store = await within(timeout, opening).catch((error: unknown) => {
      // One that comes after all is closed again.
      void opening.then((late) => late.close()).catch(() => undefined)
      throw error
    })
    this.#opening = store
    try {
      if (this.#off) throw new ArchiverError('LEDGER_UNAVAILABLE', 'the writer was closed')
      if (ownFirst) await this.#writeOwn(store)
      await spool.replay(async (rows) => {
        await this.#writeAll(store, rows)
        if (ownFirst) await this.#writeOwn(store)
      })
      await within(timeout, onOpen(store))
    } catch (error) {
      void store.close(error).catch(() => undefined)
      throw error
    } finally {
      this.#opening = undefined
    }
    this.#store = store
    return store
  }

  #isOff(): boolean {
    return this.#off
  }

  async #writeOwn(store: Store): Promise<void> {
    this.#unwritten = this.#options.drain()
    await this.#writeAll(store, this.#unwritten)
    this.#unwritten = []
  }

  async #writeAll(store: Store, rows: readonly Row[]): Promise<void> {
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
      if (this.#off) throw new ArchiverError('LEDGER_UNAVAILABLE', 'the writer was closed')
      await within(this.#options.timeout, store.write(rows.slice(at, at + ROWS_AT_ONCE)))
    }
  }

  #keep(rows: readonly Row[]): void {
    const { spool, log, redact, words = OF_A_PASS } = this.#options
    const trouble = spool.append(rows)
    if (trouble === undefined) this.#spooled += rows.length
    else if (!this.#isLosing)
      log.warn(
        `${words.subject}: what is missing cannot be kept in ${spool.path} either, and is lost: ${redact(trouble)}`,
      )
    this.#isLosing = trouble !== undefined
  }

  /** What could not be written is kept for another try, if there is to be one. */
  #failed(error: unknown): void {
    const { now, log, drain, words = OF_A_PASS } = this.#options
    const { subject, goesOn } = words
    this.#failures += 1
    this.#downSince ??= now()
    this.#failedAt = now()
    void this.#store?.close(error).catch(() => undefined)
    this.#store = undefined
    if (isMissing(error)) {
      this.#off = true
      const hint = error instanceof ArchiverError && error.hint ? `: ${error.hint}` : ''
      log.warn(`${subject} is off: its driver is missing; ${goesOn}${hint}`)
      return
    }
    this.#keep([...this.#unwritten, ...drain()])
    this.#warn(error)
  }

  /** Once a minute at most. */
  #warn(error: unknown): void {
    const { now, log, redact, spool, words = OF_A_PASS } = this.#options
    const { subject, goesOn } = words
    if (Math.abs(now() - this.#warnedAt) < WARN_EVERY) return
    this.#warnedAt = now()
    const kept = this.#isLosing ? '' : `, and what is missing is kept in ${spool.path}`
    log.warn(`${subject} cannot be written; ${goesOn}${kept}: ${redact(messageOf(error))}`)
  }

  #recovered(from: number): void {
    const { now, spool, onRecovered, log, words = OF_A_PASS } = this.#options
    const gap = { from, to: now(), spooled: this.#spooled, lost: spool.takeLost() }
    this.#downSince = undefined
    this.#spooled = 0
    log.info(`${words.subject} is back after ${ageText(Math.max(0, gap.to - from))}`)
    this.#reportLost(gap.lost)
    onRecovered(gap)
  }

  #reportLost(rows: number): void {
    const { log, spool, words = OF_A_PASS } = this.#options
    if (rows > 0)
      log.warn(
        `${words.subject}: ${rows} rows were given up: ${spool.path} ${this.#isLosing ? 'could not be written' : 'was full, or they were refused'}`,
      )
  }
}

/** The promise, or an error after `ms` milliseconds; the timer does not keep the process alive. */
export const within = <T>(ms: number, promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new ArchiverError(
            'LEDGER_UNAVAILABLE',
            `the ledger did not answer within ${durationText(ms / 1000)}`,
          ),
        ),
      ms,
    )
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
