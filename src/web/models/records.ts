/** What `processing_log` says of one task of records. */
export interface RecordsTask {
  readonly task: string
  readonly mapping: string
  readonly statuses: Readonly<Record<string, number>>
  readonly codes: Readonly<Record<string, number>>
  /** Rows by table, of all items that succeeded. */
  readonly tables: Readonly<Record<string, number>>
  readonly rowsWritten: number
  /** UTC, as text. */
  readonly first: string | undefined
  readonly last: string | undefined
  /** The first hundred items that failed, by key. */
  readonly failed: readonly {
    readonly key: string
    readonly code: string
    readonly reason: string
    readonly retries: number
  }[]
}

/** `undefined` where nothing was stored yet: there is no log. */
export type RecordsReads = () => Promise<readonly RecordsTask[] | undefined>
