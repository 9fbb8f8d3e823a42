import type { Key } from '../table.ts'

/** What is known of a batch beside its counts. */
export interface BatchFacts {
  readonly fileName: string
  readonly number: number
  readonly firstLine: number
  readonly lastLine: number
  readonly keys: readonly Key[]
  readonly attempts: number
  readonly durationMs: number
  readonly lag: number
  readonly hll: number
  readonly throttledMs: number
  readonly throttleReason: string | undefined
}
