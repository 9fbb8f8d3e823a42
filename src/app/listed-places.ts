import { RunSet } from '../common/run-set.ts'
import { messageOf } from '../errors.ts'
import { monotonic, now } from '../platform/host.ts'
import type { Archiver } from '../runs/archiver.ts'
import type { ReportFacts } from '../runs/report/report.ts'
import type { RunsSnapshot } from '../web/model.ts'
import { isoTime } from '../web/text.ts'
import { type Remembered, snapshotOf, unlistedSnapshot, unreadSnapshot } from './runs-snapshot.ts'

/** Lists the places. Those that were asked and have not answered yet stand in `unanswered`. */
export type GatherPlaces = (unanswered: Set<string>) => Promise<ReportFacts>

/** Milliseconds: a snapshot is kept so long at least, and ten times as long as it took to make. One that failed is tried again after `KEEP`. */
const KEEP = 5000
const SHARE = 10

/** Milliseconds from its beginning for which pages wait for the first listing of the places: where they hold a million runs, it takes a minute. */
const WAIT = 1000

/** Milliseconds after which a listing that has not ended is said to hang: one of a million runs takes a minute or two. */
const HANGS = 300_000

/** The listing that is going on. */
interface Making {
  readonly begunAt: number
  readonly begun: number
  readonly unanswered: ReadonlySet<string>
  readonly snapshot: Promise<RunsSnapshot>
}

/**
 * The last listing of the three places, made again behind the reader's back when it is old. A listing that fails or hangs is never silent: snapshots
 * say what it met and since when, and it is tried again with the next question.
 */
export class ListedPlaces {
  readonly #archiver: Archiver
  readonly #gather: GatherPlaces
  readonly #warn: (message: string) => void
  readonly #remembered: Remembered = new Map()
  #last: RunsSnapshot | undefined
  #making: Making | undefined
  #failed: { readonly since: number; readonly error: Error } | undefined
  #dueAt = -Infinity

  constructor(archiver: Archiver, gather: GatherPlaces, warn: (message: string) => void) {
    this.#archiver = archiver
    this.#gather = gather
    this.#warn = warn
  }

  /** Changes with what a snapshot would show. */
  get revision(): string {
    return `${this.#last?.at ?? 0} ${this.#trouble() ?? ''}`
  }

  /** When the last listing that told something new was made; 0 before the first. */
  get listedAt(): number {
    return this.#last?.at ?? 0
  }

  /** The last listing; the first is waited for. Throws what that one met. */
  listed(): Promise<RunsSnapshot> {
    const making = this.#refreshed()
    if (this.#last) return Promise.resolve(this.#last)
    return making ?? Promise.reject(this.#failed?.error ?? new Error('no listing was tried'))
  }

  /** What is known now. The first question waits a moment for the first listing, and later ones not. */
  async snapshot(): Promise<RunsSnapshot> {
    void this.#refreshed()
    const { snapshot, begun } = this.#making ?? {}
    if (snapshot && begun !== undefined && !this.#last)
      await within(Math.max(0, begun + WAIT - monotonic()), snapshot).catch(() => undefined)
    const trouble = this.#trouble()
    if (this.#last)
      return trouble === undefined ? this.#last : unreadSnapshot(this.#last, this.#remembered, trouble)
    return unlistedSnapshot(this.#archiver, trouble)
  }

  /** Begins a listing where one is due. Undefined: none is going on. */
  #refreshed(): Promise<RunsSnapshot> | undefined {
    if (!this.#making && monotonic() >= this.#dueAt) {
      const unanswered = new Set<string>()
      const snapshot = this.#make(unanswered).finally(() => (this.#making = undefined))
      // Pages that do not wait for it read of its failure in the snapshot.
      snapshot.catch(() => undefined)
      this.#making = { begunAt: now(), begun: monotonic(), unanswered, snapshot }
    }
    return this.#making?.snapshot
  }

  async #make(unanswered: Set<string>): Promise<RunsSnapshot> {
    const begun = monotonic()
    try {
      const snapshot = snapshotOf(await this.#gather(unanswered), this.#remembered)
      this.#failed = undefined
      this.#dueAt = monotonic() + Math.max(KEEP, (monotonic() - begun) * SHARE)
      // An equal snapshot keeps its time, so that no page is sent a change that is none.
      if (!this.#last || fingerprint(this.#last) !== fingerprint(snapshot)) this.#last = snapshot
      return this.#last
    } catch (error) {
      const met = error instanceof Error ? error : new Error(messageOf(error))
      if (this.#failed?.error.message !== met.message)
        this.#warn(`The places cannot be listed: ${met.stack ?? met.message}`)
      this.#failed = { since: this.#failed?.since ?? now(), error: met }
      this.#dueAt = monotonic() + KEEP
      throw error
    }
  }

  /** Why the places cannot be listed; undefined where they can, or the listing may still end. */
  #trouble(): string | undefined {
    if (this.#failed)
      return `the stores cannot be listed since ${isoTime(this.#failed.since)}: ${messageOf(this.#failed.error)}. It is tried again every few seconds.`
    if (!this.#making || monotonic() - this.#making.begun < HANGS) return undefined
    const { begunAt, unanswered } = this.#making
    const silent = unanswered.size > 0 ? [...unanswered].join(', ') : 'what their listings depend on'
    return `the stores are being listed since ${isoTime(begunAt)}, and this has not answered: ${silent}. Where a disk or server hangs, start the page again when it is back.`
  }
}

/** What is ready within some milliseconds; undefined for what takes longer, and goes on. */
export const within = async <T>(wait: number, making: Promise<T>): Promise<T | undefined> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), wait)))
  try {
    return await Promise.race([making, late])
  } finally {
    clearTimeout(timer)
  }
}

const fingerprint = ({ at: _at, map: _map, waiting, ...rest }: RunsSnapshot): string =>
  JSON.stringify([rest, [...waiting]], (_key, value: unknown) =>
    value instanceof RunSet ? value.toString() : value instanceof Map ? [...value] : value,
  )
