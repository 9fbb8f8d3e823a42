import type { BacklogOverview } from '../engine/backlog-overview.ts'
import type { LedgerReads, RunReads } from './model.ts'
import type { AlertReads } from './models/alerts.ts'
import type { RecordsReads } from './models/records.ts'
import type { RowsReads } from './models/rows.ts'

/** Everything that the pages are made from. What is not configured is undefined, and its page says so. */
export interface PageSources {
  readonly site: string
  readonly version: string
  readonly now: () => number
  readonly ledger: LedgerReads | undefined
  readonly runs: RunReads | undefined
  readonly rows?: RowsReads | undefined
  readonly records?: RecordsReads | undefined
  /** Who holds what of the shared backlog since when. Throws QUEUE_UNAVAILABLE. */
  readonly backlog?: (() => Promise<BacklogOverview>) | undefined
  readonly alerts?: AlertReads | undefined
  /** Texts that change with each write of a part that has no place in the ledger. Asked each second while somebody looks, so each is one cheap read. */
  readonly changes?: Readonly<Partial<Record<'rows' | 'records' | 'backlog' | 'runs', () => Promise<string>>>>
  /** Folders under which log files of this host may be shown. */
  readonly logRoots: readonly string[]
  readonly host: string
  readonly redact: (text: string) => string
}
