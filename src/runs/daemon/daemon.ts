import { durationText } from '../../common/duration.ts'
import { Agenda, type AgendaRules } from './retry-schedule.ts'
import { errorOf } from '../../engine/attempt.ts'
import { backoff } from '../../common/backoff.ts'
import { coalesce } from './coalesce.ts'
import { RunSet } from '../../common/run-set.ts'
import { exactText } from '../report/range-text.ts'
import type { StageName } from '../../common/stage-name.ts'
import type { Notifier } from '../../platform/sd-notify.ts'
import type { RecordWatch } from '../../stores/run-records/watcher.ts'

export type ByStage = Readonly<Record<StageName, RunSet>>

/** What a pass found and did, as far as the daemon decides by it. */
export interface PassSummary {
  /** Runs that are not ready: the records that are watched. */
  readonly waiting: RunSet
  /** What stands in the failure logs now. */
  readonly failed: ByStage
  /** Runs in the last stage's destination; undefined where it did not say. */
  readonly archived: number | undefined
  /** Runs that are not ready or that were left for the next pass; undefined where the source did not say. */
  readonly pending: number | undefined
  readonly attempted: number
  readonly succeeded: number
  /** Of the retries that were asked for, those that were made; the others were not ready. */
  readonly retried: ByStage
  /** Whether there is more to do than one pass takes. */
  readonly more: boolean
  /** Why the pass could not do its work: a store or the source is away, or another archiver holds the lock. */
  readonly trouble: Error | undefined
}

export interface LoopParts {
  /** One pass, these failed runs included. Does not throw what can happen in operation: that is `trouble`. */
  readonly pass: (retries: ByStage) => Promise<PassSummary>
  readonly openWatch: (listen: {
    readonly onDirectory: () => void
    readonly onRun: (run: number) => void
  }) => Promise<RecordWatch>
  /** The names of the directories of these runs, as far as they are there. */
  readonly directoriesOf: (runs: RunSet) => Promise<ReadonlySet<string>>
  /** Resolves when the source answers; never, when it hangs. */
  readonly confirmIdle: () => Promise<void>
  readonly notifier: Notifier
  /** Milliseconds that never jump. */
  readonly monotonic: () => number
  readonly random: () => number
  /** `12:03`, for people. */
  readonly timeOfDay: () => string
  readonly warn: (message: string) => void
  readonly settleMs: number
  readonly scanMs: number
  readonly retry: AgendaRules
}

/** The first pause after trouble, in milliseconds. */
const FIRST_PAUSE = 5000

const STAGES = ['import', 'migrate'] as const

/** Timers take 31 bits of milliseconds. */
const LONGEST_TIMER = 86_400_000

/**
 * Passes, one at a time, whenever there may be something to do: an entry came into the record directory, a record has been
 * quiet for the settle time, a failed run is due for a retry, or nothing was looked at for `scanMs`. After trouble
 * nothing is tried for a while, longer each time. Resolves after `stop`, when the pass in hand has ended. Rejects with
 * what a pass throws.
 */
export const runLoop = async (parts: LoopParts, stop: AbortSignal): Promise<void> => {
  const loop = new Loop(parts, stop)
  const watch = await parts.openWatch({
    onDirectory: () => loop.lookSoon(),
    onRun: (run) => loop.touched(run),
  })
  const { watchdog } = parts.notifier
  const heart = watchdog === undefined ? undefined : setInterval(() => loop.beat(), watchdog / 4)
  try {
    await loop.run(watch)
  } finally {
    clearInterval(heart)
    await watch.close()
  }
}

class Loop {
  readonly #parts: LoopParts
  readonly #stop: AbortSignal
  readonly #settling: Agenda
  readonly #retries: Readonly<Record<StageName, Agenda>>
  #watch: RecordWatch | undefined
  #timer: NodeJS.Timeout | undefined
  #isPassing = false
  /** When to look whatever else there is. */
  #lookAt = -Infinity
  /** After trouble: not before this time. */
  #notBefore = -Infinity
  #troubles = 0
  #lastSuccess: string | undefined
  /** As they were reported last. */
  /** Failed runs that are not tried again by themselves, as far as that was said. */
  readonly #left: Record<StageName, RunSet> = { import: RunSet.EMPTY, migrate: RunSet.EMPTY }
  #archived: number | undefined
  #pending: number | undefined
  #fail: (error: unknown) => void = () => undefined
  /** What a pass threw. */
  #failure: { readonly error: unknown } | undefined
  readonly #wake = coalesce(() => this.#once())

  constructor(parts: LoopParts, stop: AbortSignal) {
    const { settleMs, scanMs, retry } = parts
    this.#parts = parts
    this.#stop = stop
    const first = Math.max(settleMs, 1)
    this.#settling = new Agenda({ first, factor: 2, max: Math.max(first, scanMs), attempts: Infinity })
    this.#retries = { import: new Agenda(retry), migrate: new Agenda(retry) }
  }

  async run(watch: RecordWatch): Promise<void> {
    this.#watch = watch
    try {
      await new Promise<void>((resolve, reject) => {
        this.#fail = (error) => {
          this.#failure ??= { error }
          reject(errorOf(error))
        }
        if (this.#stop.aborted) resolve()
        else this.#stop.addEventListener('abort', () => resolve(), { once: true })
        this.#arm()
      })
    } finally {
      clearTimeout(this.#timer)
    }
    await this.#wake() // ends with the pass in hand; a new one does nothing any more
    if (this.#failure) throw this.#failure.error
  }

  lookSoon(): void {
    this.#lookAt = this.#parts.monotonic()
    this.#arm()
  }

  touched(run: number): void {
    this.#settling.touch(run, this.#parts.monotonic())
    this.#arm()
  }

  /** Notifies systemd that all is well: only while nothing is overdue and the source answers. A pass does so itself as it moves. */
  beat(): void {
    const { watchdog = 0, alive } = this.#parts.notifier
    const isOverdue = this.#nextLook() < this.#parts.monotonic() - watchdog
    if (!this.#isPassing && !isOverdue) void this.#parts.confirmIdle().then(alive)
  }

  #nextLook(): number {
    const wanted = [this.#lookAt, this.#settling.next, this.#retries.import.next, this.#retries.migrate.next]
    return Math.max(this.#notBefore, Math.min(...wanted))
  }

  /** Sets the one timer to the next look. Timers may come a little early: then it is set once more. */
  #arm(): void {
    clearTimeout(this.#timer)
    if (this.#stop.aborted || !this.#watch) return
    const pause = this.#nextLook() - this.#parts.monotonic()
    if (pause <= 0) this.#wake().catch(this.#fail)
    else this.#timer = setTimeout(() => this.#arm(), Math.min(pause, LONGEST_TIMER))
  }

  async #once(): Promise<void> {
    const { monotonic, pass, scanMs } = this.#parts
    const began = monotonic()
    if (this.#stop.aborted || began < this.#notBefore) return
    this.#isPassing = true
    this.#lookAt = began + scanMs // an event during the pass sets it back, for one more pass
    const looked = this.#settling.due(began)
    const retries = { import: this.#retries.import.due(began), migrate: this.#retries.migrate.due(began) }
    try {
      const summary = await pass(retries)
      // What was tried was tried, whatever became of the other stage.
      for (const stage of STAGES) this.#retries[stage].postpone(summary.retried[stage], monotonic())
      if (summary.trouble) this.#pause(summary.trouble)
      else await this.#settle(summary, retries, looked)
      this.#report(summary)
    } finally {
      this.#isPassing = false
    }
    this.#arm()
  }

  #pause(trouble: Error): void {
    const { monotonic, random, warn } = this.#parts
    this.#troubles++
    const pause = backoff(this.#troubles, FIRST_PAUSE, random)
    this.#notBefore = monotonic() + pause
    this.#lookAt = this.#notBefore
    if (this.#troubles === 1) warn(`${trouble.message}; trying again until it works`)
  }

  async #settle(summary: PassSummary, retries: ByStage, looked: RunSet): Promise<void> {
    const { monotonic, directoriesOf, timeOfDay, warn, retry } = this.#parts
    if (this.#troubles > 0) warn('working again')
    this.#troubles = 0
    const ended = monotonic()
    this.#settling.keep(summary.waiting, ended)
    this.#settling.postpone(looked, ended)
    for (const stage of STAGES) {
      const agenda = this.#retries[stage]
      for (const run of retries[stage].minus(summary.retried[stage])) agenda.touch(run, ended)
      agenda.keep(summary.failed[stage], ended)
      const left = agenda.exhausted.minus(this.#left[stage])
      if (!left.isEmpty && retry.attempts > 0) warn(leftText(stage, left, retry.attempts))
      this.#left[stage] = agenda.exhausted
    }
    if (summary.succeeded > 0) this.#lastSuccess = timeOfDay()
    if (summary.more && summary.attempted > 0) this.#lookAt = ended
    this.#watch?.follow(await directoriesOf(summary.waiting))
  }

  #report({ archived = this.#archived, pending = this.#pending, failed, trouble }: PassSummary): void {
    const { notifier, monotonic } = this.#parts
    this.#archived = archived
    this.#pending = pending
    const seconds = Math.ceil((this.#notBefore - monotonic()) / 1000)
    const failures = failed.import.union(failed.migrate)
    const left = this.#retries.import.exhausted.union(this.#retries.migrate.exhausted)
    const words = [
      trouble && `${trouble.message} (next try in ${durationText(seconds)})`,
      archived === undefined ? undefined : `archived ${archived}`,
      pending === undefined ? undefined : `${pending} pending`,
      `${failures.size} failed${left.isEmpty ? '' : ` (${left.size} need a person)`}`,
      this.#lastSuccess && `last success ${this.#lastSuccess}`,
    ]
    notifier.status(words.filter((word) => word !== undefined).join(', '))
  }
}

const leftText = (stage: StageName, runs: RunSet, attempts: number): string => {
  const [noun, have, are] = runs.size === 1 ? ['run', 'has', 'is'] : ['runs', 'have', 'are']
  const tries = attempts === 1 ? 'once' : `${attempts} times`
  return `${stage}: ${noun} ${exactText(runs)} ${have} been tried again ${tries} in vain and ${are} left to people; when the cause is gone, --retry-failed-${stage} takes ${runs.size === 1 ? 'it' : 'them'} again`
}
