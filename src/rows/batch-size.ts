/** Milliseconds that a batch should take, and the least and most ids of one. */
const TARGET = 500
const LEAST = 100
const MOST = 10_000

/** A fixed batch size, or one that follows the time that batches take. */
export class BatchSize {
  readonly isFixed: boolean
  #size: number

  constructor(size: number | 'auto') {
    this.isFixed = size !== 'auto'
    this.#size = size === 'auto' ? 2200 : size
  }

  get current(): number {
    return this.#size
  }

  /** At most twice or half of the last size at once. */
  learn(ids: number, milliseconds: number): void {
    if (this.isFixed || ids === 0) return
    const wanted = (ids * TARGET) / Math.max(1, milliseconds)
    const next = Math.min(Math.max(wanted, this.#size / 2), this.#size * 2)
    this.#size = Math.round(Math.min(Math.max(next, LEAST), MOST))
  }
}
