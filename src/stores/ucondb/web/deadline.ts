/** Timers take 31 bits of milliseconds; what is longer goes off at once. */
const LONGEST_TIMER = 86_400_000

/** Ends a request when its caller wants no more of it, or when its time is up, whichever comes first. */
export class Deadline {
  #timer: NodeJS.Timeout | undefined
  readonly #caller: AbortSignal
  readonly #aborted = (): void => this.#end(this.#caller.reason)
  #listener: (reason: Error) => void = () => undefined
  /** All the time that the request is given, milliseconds, and what is left of it when the timer goes off. */
  #given: number
  #left: number
  /** Why the request is over; undefined while it is not. */
  reason: Error | undefined

  /** A plain timer and listener: `AbortSignal.any` keeps its sources alive on Node 20, and costs more than a request. */
  constructor(caller: AbortSignal, milliseconds: number) {
    this.#caller = caller
    caller.addEventListener('abort', this.#aborted)
    this.#given = milliseconds
    this.#left = milliseconds
    this.#wait()
  }

  /** Calls back once, at once if it is over already. */
  onEnd(listener: (reason: Error) => void): void {
    if (this.reason) listener(this.reason)
    else this.#listener = listener
  }

  /** Gives the request so much more time, milliseconds. */
  extend(milliseconds: number): void {
    this.#given += milliseconds
    this.#left += milliseconds
  }

  /** The request is done: nothing more happens. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#caller.removeEventListener('abort', this.#aborted)
  }

  #wait(): void {
    const pause = Math.min(this.#left, LONGEST_TIMER)
    this.#left -= pause
    this.#timer = setTimeout(() => {
      if (this.#left > 0) this.#wait()
      else this.#late()
    }, pause)
  }

  #late(): void {
    const message = `no whole answer within ${Math.round(this.#given / 1000)} s`
    this.#end(Object.assign(new Error(message), { code: 'ETIMEDOUT' }))
  }

  #end(reason: unknown): void {
    this.clear()
    this.reason = reason instanceof Error ? reason : new Error(String(reason))
    this.#listener(this.reason)
  }
}
