interface Loan<T> {
  readonly opening: Promise<T>
  users: number
  isRetired: boolean
}

/**
 * A connection that questions share: opened at the first one, and opened anew after one that failed. It is closed when nobody uses it any more: a
 * question that fails must not take it from those that are still being answered.
 */
export class Lent<T> {
  readonly #open: () => Promise<T>
  readonly #close: (opened: T) => Promise<void>
  #loan: Loan<T> | undefined

  constructor(open: () => Promise<T>, close: (opened: T) => Promise<void>) {
    this.#open = open
    this.#close = close
  }

  /** What `open` or `work` throws is thrown; where `isOver` says so of an error (left out: of any), the next question opens it anew. */
  async use<Result>(
    work: (opened: T) => Promise<Result>,
    isOver: (error: unknown) => boolean = () => true,
  ): Promise<Result> {
    const loan = (this.#loan ??= { opening: this.#open(), users: 0, isRetired: false })
    loan.users += 1
    try {
      return await work(await loan.opening)
    } catch (error) {
      if (isOver(error)) this.#retire(loan)
      throw error
    } finally {
      loan.users -= 1
      if (loan.isRetired) void this.#closeUnused(loan)
    }
  }

  /** Whether anybody uses it just now. */
  get isBusy(): boolean {
    return (this.#loan?.users ?? 0) > 0
  }

  /** Closes it, or has the last one who uses it do so. */
  async end(): Promise<void> {
    const loan = this.#loan
    if (!loan) return
    this.#retire(loan)
    await this.#closeUnused(loan)
  }

  #retire(loan: Loan<T>): void {
    loan.isRetired = true
    if (this.#loan === loan) this.#loan = undefined
  }

  async #closeUnused(loan: Loan<T>): Promise<void> {
    if (loan.users > 0) return
    const opened = await loan.opening.catch(() => undefined)
    if (opened !== undefined) await this.#close(opened).catch(() => undefined)
  }
}
