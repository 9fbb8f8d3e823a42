import type { Backlog, Claim } from './backlog.ts'

/**
 * Claims in hand that nobody works on yet. Several workers take from it; the backlog is asked by one at a time, and before the last claim is
 * taken, so that no worker waits for the answer.
 */
export class ClaimBuffer<Item> {
  readonly #backlog: Backlog<Item>
  readonly #workers: number
  readonly #most: number
  #claims: Claim<Item>[] = []
  #asking: Promise<number> | undefined

  constructor(backlog: Backlog<Item>, workers: number) {
    this.#backlog = backlog
    this.#workers = workers
    this.#most = Math.max(1, workers * backlog.ahead)
  }

  /** The next claim; undefined when nothing is due. Throws what the backlog throws. */
  async take(): Promise<Claim<Item> | undefined> {
    // Nobody else wants to know where claims are not taken ahead: each worker asks for its own.
    if (this.#backlog.ahead === 0) return (await this.#backlog.next(1))[0]
    while (this.#claims.length === 0) if ((await this.#ask()) === 0) return undefined
    const claim = this.#claims.shift()
    // What goes wrong here comes up when somebody needs the answer, and asks again.
    if (this.#claims.length < this.#workers) this.#ask().catch(() => undefined)
    return claim
  }

  /** Empties the buffer: what nobody has started, and what is on its way. */
  async drain(): Promise<readonly Claim<Item>[]> {
    await this.#asking?.catch(() => undefined)
    const claims = this.#claims
    this.#claims = []
    return claims
  }

  /** How many claims came. */
  #ask(): Promise<number> {
    this.#asking ??= this.#fill().finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #fill(): Promise<number> {
    const claims = await this.#backlog.next(this.#most - this.#claims.length)
    this.#claims.push(...claims)
    return claims.length
  }
}
