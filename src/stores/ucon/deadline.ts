/** Ends a request when its caller wants no more of it, or when its time is up, whichever comes first. */
export class Deadline {
  readonly #timer: NodeJS.Timeout
  readonly #caller: AbortSignal
  readonly #aborted = (): void => this.#end(this.#caller.reason)
  #listener: (reason: Error) => void = () => undefined
  /** Why the request is over; undefined while it is not. */
  reason: Error | undefined

  /** A plain timer and listener: `AbortSignal.any` keeps its sources alive on Node 20, and costs more than a request. */
  constructor(caller: AbortSignal, milliseconds: number) {
    this.#caller = caller
    caller.addEventListener('abort', this.#aborted)
    this.#timer = setTimeout(() => {
      const message = `no whole answer within ${Math.round(milliseconds / 1000)} s`
      this.#end(Object.assign(new Error(message), { code: 'ETIMEDOUT' }))
    }, milliseconds)
  }

  /** Calls back once, at once if it is over already. */
  onEnd(listener: (reason: Error) => void): void {
    if (this.reason) listener(this.reason)
    else this.#listener = listener
  }

  /** The request is done: nothing more happens. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#caller.removeEventListener('abort', this.#aborted)
  }

  #end(reason: unknown): void {
    this.clear()
    this.reason = reason instanceof Error ? reason : new Error(String(reason))
    this.#listener(this.reason)
  }
}
