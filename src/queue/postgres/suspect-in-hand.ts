import type { StoredClaim } from '../../engine/claim-store.ts'

/** The claim in hand that may end this process, for as long as its lease lasts. */
export class SuspectInHand {
  readonly #monotonic: () => number
  readonly #lease: number
  #claim: StoredClaim | undefined
  #until = -Infinity

  constructor({ monotonic, lease }: { readonly monotonic: () => number; readonly lease: number }) {
    this.#monotonic = monotonic
    this.#lease = lease
  }

  get isHeld(): boolean {
    return this.#claim !== undefined && this.#monotonic() < this.#until
  }

  /** A claim was given, or extended. */
  hold(claim: StoredClaim | undefined): void {
    this.#claim = claim
    this.#until = this.#monotonic() + this.#lease
  }

  renewed(held: readonly StoredClaim[], lost: readonly StoredClaim[]): readonly StoredClaim[] {
    this.ended(lost)
    if (this.#claim && held.includes(this.#claim)) this.hold(this.#claim)
    return lost
  }

  ended(claims: readonly StoredClaim[]): void {
    if (this.#claim && claims.includes(this.#claim)) this.#claim = undefined
  }
}
