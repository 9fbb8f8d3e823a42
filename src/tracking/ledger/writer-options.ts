import type { Log } from '../../common/log.ts'
import type { Redact } from '../../common/redact.ts'
import type { Row } from './row.ts'
import type { Spool } from './spool.ts'

/** An open ledger, as far as writing goes. */
export interface LedgerStore {
  /** All of the rows, or, when it throws, none that a second try would not put right. */
  write(rows: readonly Row[]): Promise<void>
  /** Before it returns, where the engine can. */
  readonly writeNow: ((rows: readonly Row[]) => void) | undefined
  /** Ends a `write` that waits for an answer: it throws then. Left out: it ends by its own time limit. */
  readonly giveUp?: (why: Error) => void
  /** `error` is why it is given up, where it is. */
  close(error?: unknown): Promise<void>
}

export interface WriterOptions<Store extends LedgerStore> {
  readonly connect: () => Promise<Store>
  readonly spool: Spool
  /** What changed since it was last called. */
  readonly drain: () => readonly Row[]
  readonly now: () => number
  readonly log: Log
  readonly redact: Redact
  /** Milliseconds between a change and its being written. */
  readonly flushEvery: number
  /** Milliseconds without another try after one has failed. */
  readonly retryEvery: number
  /** Milliseconds for one try. */
  readonly timeout: number
  /** After a connection is there and what waited in the spool is written. What it throws counts as a failure to write. */
  readonly onOpen: (store: Store) => Promise<void>
  readonly onRecovered: (gap: Gap) => void
  /** What this process has to say does not wait for what others left, however much that is. For reports, which nothing is judged by. */
  readonly ownFirst?: boolean
  /** What is written, and what goes on without it. Left out: the ledger of a pass. */
  readonly words?: WriterWords
}

export interface WriterWords {
  readonly subject: string
  readonly goesOn: string
}

/** A time in which the ledger could not be written; what was spooled is in it by now. Epoch milliseconds. */
export interface Gap {
  readonly from: number
  readonly to: number
  readonly spooled: number
  readonly lost: number
}
