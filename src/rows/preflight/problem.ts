import type { Table } from '../table.ts'

/** What a flag `--force-NAME` may overrule. Nothing else can be. */
export const FORCEABLE = ['cascades', 'triggers', 'binlog', 'packet-size'] as const

export type Forceable = (typeof FORCEABLE)[number]

/** A reason why moving rows would not be safe. */
export interface Problem {
  readonly message: string
  /** What makes it go away. */
  readonly cure: string
  readonly forceable?: Forceable
}

/** The tables that are moved with a table, or that rows are moved to. */
export interface Surroundings {
  /** Its children that go with it. */
  readonly named: readonly Table[]
  /** Every archive of the group. */
  readonly archives: readonly Table[]
}

export const CHILDREN_CURE =
  'name the table in rows.children; or archive its rows first and make the key RESTRICT'
