/** Characters that may wait for one reader before it is left out. An overview of 60 tasks has 230,000. */
const WAITING_AT_MOST = 256_000

interface QueueOptions {
  /** Resolves when the reader has taken it. Never rejects. */
  readonly write: (text: string) => Promise<unknown>
  /** Called when a reader that was behind has taken all that waited: it needs everything as it is now. */
  readonly caughtUp: () => void
  readonly waitingAtMost?: number
}

/**
 * What waits for one reader of events. A reader that takes nothing, or takes it slowly, would fill the memory: once too much waits, nothing
 * more is put there until it has taken all of it.
 */
export class ReaderQueue {
  readonly #options: QueueOptions
  readonly #most: number
  #waiting = 0
  #isBehind = false
  #hasTaken = true

  constructor(options: QueueOptions) {
    this.#options = options
    this.#most = options.waitingAtMost ?? WAITING_AT_MOST
  }

  /** Whether the next message would be left out. */
  get isBehind(): boolean {
    if (this.#waiting > this.#most) this.#isBehind = true
    return this.#isBehind
  }

  /** Puts a message into the queue, unless the reader is behind. */
  send(text: string): void {
    if (this.isBehind) return
    this.#waiting += text.length
    void this.#options.write(text).then(() => this.#taken(text.length))
  }

  /** Whether the reader has taken something, or all, since this was asked the last time. */
  isTaking(): boolean {
    const isTaking = this.#hasTaken || this.#waiting === 0
    this.#hasTaken = false
    return isTaking
  }

  #taken(length: number): void {
    this.#waiting -= length
    this.#hasTaken = true
    if (this.#waiting > 0 || !this.#isBehind) return
    this.#isBehind = false
    this.#options.caughtUp()
  }
}
