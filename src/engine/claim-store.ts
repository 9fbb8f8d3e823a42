/** An item as a shared backlog keeps it. */
export interface QueueItem {
  /** Unique within a stage. Adding a key twice adds nothing. */
  readonly key: string
  /** Items are handed out lowest first. */
  readonly ordinal: number
}

/** A claim as the store knows it. `epoch` goes up with every claim of an item: results with an older one are refused. */
export interface StoredClaim extends QueueItem {
  readonly stage: string
  readonly epoch: number
  /** Attempts that count, this one included. What was given back does not count. */
  readonly attempt: number
}

export interface StoredFailure {
  readonly claim: StoredClaim
  readonly code: string
  readonly message: string
}

export type ItemStatus = 'pending' | 'claimed' | 'done' | 'failed'

/** One item as `queue list` and `queue show` report it. Times are epoch milliseconds by the store's clock. */
export interface ItemState extends QueueItem {
  readonly stage: string
  readonly status: ItemStatus
  readonly attempts: number
  /** How often a holder died, or let its lease run out, with the item in hand. */
  readonly lost: number
  readonly claimedBy: string | undefined
  readonly claimedAt: number | undefined
  readonly notBefore: number | undefined
  readonly finishedAt: number | undefined
  readonly code: string | undefined
  readonly message: string | undefined
}

export interface StageCounts {
  readonly stage: string
  readonly pending: number
  readonly claimed: number
  readonly done: number
  readonly failed: number
  readonly paused: boolean
  /** A destination is away: nothing is handed out before this time. */
  readonly blockedUntil: number | undefined
  readonly blockedReason: string | undefined
  /** When the oldest item that is pending was added. */
  readonly oldest: number | undefined
}

/** One process that works on the backlog. */
export interface InstanceState {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly startedAt: number
  readonly heartbeatAt: number
  readonly endedAt: number | undefined
  /** `lost`: it ended without a word, or its leases ran out. */
  readonly status: 'running' | 'stopped' | 'lost'
  /** Items that it works on at once; 0 where it did not say. */
  readonly workers: number
  /** Processors that it may use; 0 where it did not say. */
  readonly processors: number
  readonly held: number
  /** Items that it was given, counted at each claim. */
  readonly claims: number
  readonly done: number
  readonly failed: number
  /** Results of this instance that were refused because another had the item by then. */
  readonly fenced: number
  /** Claims of others that this instance gave back because their holder was dead. */
  readonly recovered: number
  /** Items a second that it ended, done or failed, in the last minute. */
  readonly rate: number
}

/** What this process counted as an instance, for its ledger and its metrics. */
export interface InstanceTally extends Pick<InstanceState, 'claims' | 'fenced' | 'recovered'> {
  readonly instance: string
}

/** The last scan of the leader, by the store's clock. */
export interface ScanNote {
  /** The instance that leads now; undefined where none does. */
  readonly leader: string | undefined
  /** Undefined before the first. */
  readonly beganAt: number | undefined
  readonly added: number
  /** When a worker last asked for a scan. */
  readonly wantedAt: number | undefined
}

/** An item whose holder died this often is failed as poison: it may be what kills them. */
export const POISON_AFTER = 3

/**
 * From so many deaths on an item is a suspect: it is handed out after all others, to an instance that holds nothing else and gets nothing
 * else meanwhile. If that one dies too, it was this item, and not one that was claimed with it.
 */
export const SUSPECT_AFTER = POISON_AFTER - 1

/** Milliseconds. A leader that has not renewed its role for so long has lost it. */
export const LEADER_LEASE = 10_000

/** The part of its lease after which a leader stops believing in it, and after which it asks for more. */
export const LEADER_MARGIN = 0.8
export const LEADER_RENEW = 0.3

/**
 * A backlog that several processes share. Each operation is one transaction; only the store's clock decides about leases, and only the
 * epoch decides whether a result counts. Every implementation passes test/conformance/claim-store.ts.
 */
export interface ClaimStore {
  /** What this process did as an instance so far. Touches no store. */
  readonly tally: InstanceTally
  /** Epoch milliseconds by the store's clock. */
  now(): Promise<number>
  /**
   * Adds items that are not there. An item that is done is opened again when it was done before `missingAt`: it was looked for at that
   * time, and the destination does not hold it. Returns how many were added or opened.
   */
  enqueue(stage: string, items: Iterable<QueueItem>, missingAt: number): Promise<number>
  /**
   * Takes up to `most` items that are due, lowest first. None while the stage is paused or blocked. `fairly`: fewer where little is left for
   * many instances, so that all end together.
   */
  claim(stage: string, most: number, fairly?: boolean): Promise<readonly StoredClaim[]>
  /** Extends leases. Returns the claims that are no longer ours. */
  renew(claims: readonly StoredClaim[]): Promise<readonly StoredClaim[]>
  /**
   * Records results, and adds what is done to the next stage, in one transaction. What is done there since before the item was added here
   * is opened again: its content was lost, and has been made anew. Returns the claims that were refused because they are
   * no longer ours.
   */
  settle(
    done: readonly StoredClaim[],
    failed: readonly StoredFailure[],
    nextStage?: string,
  ): Promise<readonly StoredClaim[]>
  /** Gives an item back, due after `delay` milliseconds. The attempt does not count. */
  later(claim: StoredClaim, reason: string, delay: number): Promise<void>
  /** Gives claims back, due at once. The attempts do not count. */
  release(claims: readonly StoredClaim[]): Promise<void>
  /**
   * Gives back what dead instances hold, and what leases that ran out held; fails poison. A sign of life of this instance, too. Returns how
   * many claims were taken back.
   */
  reap(): Promise<number>
  /** Opens failed items again: these keys, or all of the stage. Returns how many. */
  retry(stage: string, keys: readonly string[] | undefined): Promise<number>
  /**
   * Makes the failed items of a stage exactly these: before the first instance works, from the stage's failure log. Of the others those of
   * `kept` stay failed: the log may not know of them yet.
   */
  adoptFailures(stage: string, items: readonly QueueItem[], kept?: readonly string[]): Promise<void>
  pause(stage: string): Promise<void>
  resume(stage: string): Promise<void>
  /** Circuit breaker of all instances: hands nothing out for `milliseconds`. */
  block(stage: string, reason: string, milliseconds: number): Promise<void>
  counts(): Promise<readonly StageCounts[]>
  list(stage: string, status: ItemStatus | undefined, limit: number): Promise<readonly ItemState[]>
  /** The ordinals of the items with a status, as ranges without gaps, lowest first. */
  ranges(stage: string, status: ItemStatus): Promise<readonly (readonly [first: number, last: number])[]>
  show(key: string): Promise<readonly ItemState[]>
  /** The highest number of which nothing at or below is pending or claimed, and that was attempted; 0 for none. */
  attemptedUpTo(stage: string): Promise<number>
  /** Items done or failed at or after a time, for whoever writes the state files. */
  finishedSince(stage: string, time: number): Promise<readonly ItemState[]>
  instances(): Promise<readonly InstanceState[]>
  /**
   * Takes the role of the one instance that looks for work and writes the state files, or keeps it. It lasts until `close`, the end of the
   * process, or LEADER_LEASE after the last call: whoever was frozen for so long leads no more.
   */
  lead(): Promise<boolean>
  /** Whether this instance leads, right now. */
  readonly isLeading: boolean
  /** Notes a scan that is finished, the state files included. For the leader. */
  noteScan(beganAt: number, added: number): Promise<void>
  /** Asks the leader for a scan that begins after now. */
  wantScan(): Promise<void>
  lastScan(): Promise<ScanNote>
  /**
   * Does `work` while no other instance does what is named so. On one machine the store that is written has its own lock, and this adds
   * nothing. Throws QUEUE_UNAVAILABLE where the lock was lost meanwhile: then the work does not count.
   */
  exclusively<Result>(what: string, work: () => Promise<Result>): Promise<Result>
  /** Ends this instance: its claims go back. */
  close(): Promise<void>
}
