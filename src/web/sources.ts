import type { BacklogOverview } from '../engine/backlog-overview.ts'
import type { LedgerReads, RunReads } from './model.ts'

/** A page's table from a part that another subsystem owns: ready to be shown. */
export interface ForeignTable {
  readonly title: string
  readonly sub: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly (string | number | undefined)[])[]
}

/** A part of the program that has a page, where it is configured. */
export interface ForeignPart {
  /** The sentence that opens the page. */
  readonly say: string
  /** What is open and wants a person: the badge in the side list. */
  readonly open?: number | undefined
  readonly tables: readonly ForeignTable[]
}

/** Everything that the pages are made from. What is not configured is undefined, and its page says so. */
export interface PageSources {
  readonly site: string
  readonly version: string
  readonly now: () => number
  readonly ledger: LedgerReads | undefined
  readonly runs: RunReads | undefined
  readonly rows?: (() => Promise<ForeignPart>) | undefined
  readonly instances?: (() => Promise<ForeignPart>) | undefined
  /** Who holds what of the shared backlog since when. Throws QUEUE_UNAVAILABLE. */
  readonly backlog?: (() => Promise<BacklogOverview>) | undefined
  readonly alerts?: (() => Promise<ForeignPart>) | undefined
  /** Folders under which log files of this host may be shown. */
  readonly logRoots: readonly string[]
  readonly host: string
  readonly redact: (text: string) => string
}
