import type { Backlog, Claim } from './backlog.ts'

/** Claims in hand that nobody works on yet. Several workers take from it; the backlog is asked by one at a time. */
export class ClaimBuffer<Item> {
  readonly #backlog: Backlog<Item>
  readonly #most: number
  #claims: Claim<Item>[] = []
  #asking: Promise<number> | undefined

  constructor(backlog: Backlog<Item>, workers: number) {
    this.#backlog = backlog
    this.#most = Math.max(1, workers * backlog.ahead)
  }

  /** The next claim; undefined when nothing is due. Throws what the backlog throws. */
  async take(): Promise<Claim<Item> | undefined> {
    // Nobody else wants to know where claims are not taken ahead: each worker asks for its own.
    if (this.#backlog.ahead === 0) return (await this.#backlog.next(1))[0]
    while (this.#claims.length === 0) {
      this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
      if ((await this.#asking) === 0) return undefined
    }
    return this.#claims.shift()
  }

  /** Empties the buffer: what nobody has started. */
  drain(): readonly Claim<Item>[] {
    const claims = this.#claims
    this.#claims = []
    return claims
  }

  async #ask(): Promise<number> {
    const claims = await this.#backlog.next(this.#most)
    this.#claims.push(...claims)
    return claims.length
  }
}
