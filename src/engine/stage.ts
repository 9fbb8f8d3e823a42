/** What became of one item, for the report and the ledger. Sizes in bytes. */
export interface Processed {
  /** `stored`: written and compared. `present`: the same content was there already. `updated`: stored beside an older one. */
  readonly result: 'stored' | 'present' | 'updated'
  readonly bytes: number
  /** What the item consists of: `{ documents: 12 }`. */
  readonly counts: Readonly<Record<string, number>>
  /** What a person should know of this item: links left out, a record archived incomplete. */
  readonly notes: readonly string[]
  /** Parts of its time in milliseconds, where they are measured apart: `{ exported: 12 }`. */
  readonly times?: Readonly<Record<string, number>>
}

/**
 * Work that is done one item at a time, and may be done twice without harm. `process` may leave its result uncommitted where the stage
 * has a `commit`: only what a later `commit` has returned from is durable and may be recorded.
 */
export interface Stage<Item> {
  readonly name: string
  /** How many items wait for the destination's disk, on top of those that are worked on, so that work goes on meanwhile; as many again: 1. */
  readonly waits?: number
  process(item: Item, signal: AbortSignal): Promise<Processed>
  /** Whether it is time to commit, so that what a commit costs stays small against what it saves. */
  commitDue?(): boolean
  /** Makes everything that was processed durable. When it throws, all of it is unknown and stays pending. */
  commit?(): Promise<void>
}

/** Why a pass ended before its items did. */
export type StopReason = 'signal' | 'unavailable' | 'lock-lost'

export interface Hold {
  readonly reason: string
  /** A person asked for it. */
  readonly isPause: boolean
}

interface OfStage {
  readonly stage: string
}

interface OfItem extends OfStage {
  readonly key: string
}

interface Attempt extends OfItem {
  readonly attempt: number
  readonly attempts: number
}

/** What the engine reports while it works. Ledger, alerts, metrics, progress bar and sd_notify listen; none can stop it. */
export type EngineEvent =
  | (OfStage & {
      readonly type: 'pass-started'
      readonly mode: string
      /** Undefined where nobody can know it: a backlog that others add to. */
      readonly total: number | undefined
      /** Items that are not ready. */
      readonly waiting: number
    })
  /** What the destination of a stage holds is known, before the stage begins. */
  | (OfStage & {
      readonly type: 'listed'
      readonly isStored: (key: string) => boolean
      /** Keys that are left out because the destination holds them. */
      readonly already: Iterable<string | number>
    })
  | (Attempt & { readonly type: 'item-started' })
  | (Attempt & { readonly type: 'item-retry'; readonly error: Error })
  | (OfItem & {
      readonly type: 'item-done'
      readonly processed: Processed
      readonly milliseconds: number
    })
  | (OfItem & { readonly type: 'item-failed'; readonly error: Error; readonly milliseconds: number })
  /** The claim was lost while the item was worked on: another holder has it, and nothing was recorded here. */
  | (OfItem & { readonly type: 'item-lost' })
  /** How busy the servers were that the next item needs. */
  | (OfStage & { readonly type: 'servers-seen'; readonly load: ServerLoad })
  /** The next item waits for something outside, and why; without a hold it goes on. */
  | (OfStage & {
      readonly type: 'held-back'
      readonly hold: Hold | undefined
    })
  /** A group of items became durable together and was recorded. `batch` counts from 1 in a pass. */
  | (OfStage & {
      readonly type: 'batch-committed'
      readonly batch: number
      /** Keys. */
      readonly done: readonly string[]
      readonly failed: readonly string[]
      readonly milliseconds: number
    })
  | (OfStage & {
      readonly type: 'pass-stopped'
      readonly reason: StopReason
      readonly error: Error | undefined
    })
  | (OfStage & { readonly type: 'pass-finished'; readonly summary: StageSummary })

/** How busy servers are; undefined where it is not known. */
export interface ServerLoad {
  /** Seconds that the replica which is furthest behind is behind. */
  readonly replicaLag: number | undefined
  /** Transactions that the source has not purged yet. */
  readonly historyList: number | undefined
}

export type Listener = (event: EngineEvent) => void

/** A pass of one stage in numbers. */
export interface StageSummary {
  readonly succeeded: number
  readonly failed: number
  /** Items that were to be done and were left; undefined where the total is not known. */
  readonly pending: number | undefined
  readonly bytes: number
  readonly milliseconds: number
  readonly stopped: StopReason | undefined
  readonly error: Error | undefined
}

/** What a pass of one stage came to. */
export interface StageOutcome<Item> extends Omit<StageSummary, 'succeeded' | 'failed' | 'pending'> {
  readonly succeeded: readonly Item[]
  /** Items that failed by their own fault, and why. */
  readonly failed: ReadonlyMap<Item, Error>
  /** Claims that were lost to another holder. */
  readonly lost: number
}
