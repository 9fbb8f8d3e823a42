import { ArchiverError } from '../errors.ts'

/** Gives back what was taken. May be called twice. */
export type Release = () => void

/** The signal's reason; INTERRUPTED where it is only a word, such as SIGTERM. */
const reasonOf = ({ reason }: AbortSignal): Error =>
  reason instanceof Error
    ? reason
    : new ArchiverError('INTERRUPTED', `${String(reason)} while it waited for memory: nothing was begun`)

interface Waiting {
  readonly bytes: number
  readonly begin: () => void
}

/**
 * Memory that work in hand may take together. Work asks before it begins, in bytes, and is admitted in the order of asking, so that large
 * work is not kept waiting by small work for ever. Work larger than all of it is admitted alone.
 */
export class MemoryBudget {
  readonly #bytes: number
  #left: number
  #waiting: Waiting[] = []

  constructor(bytes: number) {
    this.#bytes = bytes
    this.#left = bytes
  }

  /** Bytes in all. */
  get bytes(): number {
    return this.#bytes
  }

  /** Resolves when there is room. Rejects with the signal's reason when it aborts before that: then nothing is taken. */
  async take(bytes: number, signal: AbortSignal): Promise<Release> {
    if (signal.aborted) throw reasonOf(signal)
    const taken = Math.min(bytes, this.#bytes)
    if (this.#waiting.length > 0 || taken > this.#left) await this.#turn(taken, signal)
    else this.#left -= taken
    let isOut = true
    return () => {
      if (!isOut) return
      isOut = false
      this.#left += taken
      this.#admit()
    }
  }

  #turn(bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const one: Waiting = {
        bytes,
        begin: () => {
          signal.removeEventListener('abort', give)
          resolve()
        },
      }
      const give = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== one)
        reject(reasonOf(signal))
        this.#admit()
      }
      signal.addEventListener('abort', give, { once: true })
      this.#waiting.push(one)
    })
  }

  #admit(): void {
    for (let [next] = this.#waiting; next && next.bytes <= this.#left; [next] = this.#waiting) {
      this.#waiting.shift()
      this.#left -= next.bytes
      next.begin()
    }
  }
}
