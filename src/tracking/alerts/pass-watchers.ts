import type { Log } from '../../common/log.ts'
import type { Redact } from '../../common/redact.ts'
import { messageOf } from '../../errors.ts'

/** A pass as those outside hear of it. Texts hold no secrets. */
export interface WatchedPass {
  readonly runId: string
  readonly task: string
  readonly host: string
  readonly time: string
}

export interface EndedPass extends WatchedPass {
  readonly exitCode: number
  /** The signal that ended it: then it neither succeeded nor failed. */
  readonly signal: string | undefined
  /** What became of it, and the end of its log; at most 10 KB. */
  readonly text: string
}

/** Somebody outside who wants to know when a pass begins and ends. Both reject when nobody heard of it. */
export interface PassWatcher {
  readonly name: string
  began(pass: WatchedPass, signal: AbortSignal): Promise<void>
  ended(pass: EndedPass, signal: AbortSignal): Promise<void>
}

export interface PassWatchersOptions {
  readonly watchers: readonly PassWatcher[]
  /** Milliseconds that one may take. */
  readonly timeout: number
  readonly log: Log
  readonly redact: Redact
}

/** Calls watchers in the background, the end after the beginning. Nothing here throws, and nothing changes a pass. */
export class PassWatchers {
  readonly #options: PassWatchersOptions
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: PassWatchersOptions) {
    this.#options = options
  }

  get any(): boolean {
    return this.#options.watchers.length > 0
  }

  began(pass: WatchedPass): void {
    this.#all((watcher, signal) => watcher.began(pass, signal))
  }

  /** Resolves when every watcher heard of it, or its time was over. */
  async ended(pass: EndedPass): Promise<void> {
    this.#all((watcher, signal) => watcher.ended(pass, signal))
    await this.#turn
  }

  #all(call: (watcher: PassWatcher, signal: AbortSignal) => Promise<void>): void {
    const { watchers } = this.#options
    this.#turn = this.#turn.then(() => Promise.all(watchers.map((watcher) => this.#one(watcher, call))))
  }

  async #one(
    watcher: PassWatcher,
    call: (watcher: PassWatcher, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { timeout, log, redact } = this.#options
    const signal = AbortSignal.timeout(timeout)
    const late = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error(`no answer within ${timeout} ms`)))
    })
    try {
      await Promise.race([call(watcher, signal), late])
    } catch (error) {
      log.warn(`The ${watcher.name} was not reached: ${redact(messageOf(error))}`)
    }
  }
}
