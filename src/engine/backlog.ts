/** An item that was handed out to be worked on. Nobody else has it while the claim holds. */
export interface Claim<Item> {
  readonly item: Item
  /** How the item is named in logs, ledger and queue: `12500`. Unique within a stage. */
  readonly key: string
  /** 1 for the first claim. A higher one means that an earlier holder may have done a part of it. */
  readonly attempt: number
  /** Aborts when the claim is lost: its holder was too slow, and another may have the item. Absent where claims cannot be lost. */
  readonly lost?: AbortSignal
}

/** A claim whose item failed by its own fault. */
export interface FailedClaim<Item> {
  readonly claim: Claim<Item>
  readonly error: Error
}

/** What became of claims since the last call of `settle`. */
export interface Results<Item> {
  /** Durable at the destination, and compared. */
  readonly done: readonly Claim<Item>[]
  readonly failed: readonly FailedClaim<Item>[]
}

/**
 * Where the engine takes items from and records what became of them. A list in memory, claims in SQLite and a queue on PostgreSQL behave
 * alike: an item is handed out to one holder at a time, lowest first, and a crash at any moment leaves it to be handed out again.
 */
export interface Backlog<Item> {
  /** How many items there are to do, where that is known. */
  readonly total: number | undefined
  /** How many claims a worker may hold in hand beside the one it works on. 0: claims one item at a time. */
  readonly ahead: number
  /** Claims up to `most` items that are due, lowest first. None: nothing is due now. Throws when the backlog cannot be reached. */
  next(most: number): Promise<readonly Claim<Item>[]>
  /**
   * Records results, durably, failures first. Returns the keys whose claim was lost in the meantime: nothing was recorded for those.
   * May be called with no results; then it only records how far the whole has come. Throws when it cannot record; then nothing that
   * failed is recorded as failed.
   */
  settle(results: Results<Item>): Promise<readonly string[]>
  /** Leaves an item for later: it was not ready, and nothing was done to it. Not a failure. */
  later(claim: Claim<Item>, reason: Error): Promise<void>
  /** Gives claims back as they are: not started, or ended by something that is not their fault. Never throws: a claim that cannot be given back expires. */
  release(claims: readonly Claim<Item>[]): Promise<void>
}
