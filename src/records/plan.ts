import { ItemError } from './item-error.ts'
import { standingOf, type Stored, type StoredRow } from './map/compare-rows.ts'
import type { Row } from './map/map-row.ts'
import type { Mapping } from './mapping/model.ts'
import { mapSafely } from './workers/map-task.ts'

/** Rows that stand in the tables already, by table. */
export type GivenRows = Readonly<Record<string, readonly StoredRow[]>>

export interface PlanOptions {
  readonly sourceKey: string | undefined
  readonly now: number
  readonly strict: boolean
  /** Undefined: nothing is known of the tables. */
  readonly given: Stored | undefined
}

/** What would become of an item. Nothing is written. */
export type Plan =
  | {
      readonly status: 'success'
      readonly rows: ReadonlyMap<string, readonly Row[]>
      readonly warnings: readonly object[]
      readonly result: 'stored' | 'present' | undefined
      /** Rows that would be inserted: all but those of shared tables that are there. */
      readonly inserted: ReadonlyMap<string, readonly Row[]>
    }
  | { readonly status: 'failed'; readonly error: ItemError }

/** Maps a payload and holds its rows against what is stored. Never throws for what is wrong with the payload. */
export const planItem = (payload: string | Uint8Array, mapping: Mapping, options: PlanOptions): Plan => {
  try {
    const { rows, warnings } = mapSafely(payload, mapping, options)
    const standing = options.given && standingOf(mapping, rows, options.given)
    const result = standing && (standing.type === 'present' ? 'present' : 'stored')
    const inserted = standing?.type === 'new' ? standing.rows : new Map<string, readonly Row[]>()
    return { status: 'success', rows, warnings, result, inserted }
  } catch (error) {
    if (error instanceof ItemError) return { status: 'failed', error }
    throw error
  }
}

/** Rows from a file, as if they stood in the tables. */
export const givenStored = (given: GivenRows): Stored => ({
  rows: (table) => given[table] ?? [],
  hasDefault: () => false,
})

/** The tables after the item: what was given, and its rows where they are stored. */
export const storedAfter = (given: GivenRows, plan: Plan): Record<string, unknown[]> => {
  const after: Record<string, unknown[]> = Object.fromEntries(
    Object.entries(given).map(([table, rows]) => [table, [...rows]]),
  )
  if (plan.status === 'success' && plan.result === 'stored')
    for (const [table, rows] of plan.inserted)
      (after[table] ??= []).push(...rows.map((row) => Object.fromEntries(row)))
  return after
}
