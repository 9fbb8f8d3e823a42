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
