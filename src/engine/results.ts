import type { Claim, FailedClaim } from './backlog.ts'

/** What a pass came to so far. */
export class Results<Item> {
  readonly #succeeded: Item[] = []
  readonly #failed = new Map<string, readonly [Item, Error]>()
  /** Stored by the items that succeeded. */
  bytes = 0
  /** Items that another holder had taken over meanwhile. */
  lost = 0

  get counts(): { readonly succeeded: number; readonly failed: number } {
    return { succeeded: this.#succeeded.length, failed: this.#failed.size }
  }

  succeed({ item }: Claim<Item>, bytes: number): void {
    this.#succeeded.push(item)
    this.bytes += bytes
  }

  fail({ claim: { key, item }, error }: FailedClaim<Item>): void {
    this.#failed.set(key, [item, error])
  }

  /** A failure that is not recorded has not failed: it is pending. */
  unfail(failed: readonly FailedClaim<Item>[]): void {
    for (const { claim } of failed) this.#failed.delete(claim.key)
  }

  /** What became of an item whose claim was lost is for its new holder to say. */
  withdraw({ key, item }: Claim<Item>): void {
    const position = this.#succeeded.lastIndexOf(item)
    if (position >= 0) this.#succeeded.splice(position, 1)
    this.#failed.delete(key)
  }

  lists(): { readonly succeeded: readonly Item[]; readonly failed: ReadonlyMap<Item, Error> } {
    return { succeeded: this.#succeeded, failed: new Map(this.#failed.values()) }
  }
}
