import type { Session } from '../sql/session.ts'

/** What was seen before a batch. Lag in whole seconds; -1: not known. */
export interface Passed {
  readonly lag: number
  readonly hll: number
  readonly throttledMs: number
  readonly reason: string | undefined
  /** The kind of the reason: `replica_lag`, `operator` ... */
  readonly cause: string | undefined
  /** Why the run should end here, resumable. */
  readonly end: string | undefined
}

/** Why the next batch is held back now. */
export interface Hold extends Pick<Passed, 'lag' | 'hll'> {
  readonly reason: string
  readonly cause: string
}

/** Holds batches back while the servers are busy. */
export interface Gate {
  /** Throws CONFIG_INVALID where a limit can never be measured at this server: each batch would wait for nothing, or the limit would not count. */
  ready(session: Session): Promise<void>
  /**
   * Returns when a batch may begin, or with the reason why the run should end. `control` gives an operator's word; `held` hears of each reason
   * while it waits.
   */
  pass(
    session: Session,
    control: () => Promise<string | undefined>,
    signal: AbortSignal,
    held?: (hold: Hold) => Promise<void>,
  ): Promise<Passed>
  /** After a batch, how long to be nice. */
  rest(batchMs: number): number
  /** Seconds of lag of each replica at the last look; undefined: it did not answer. */
  readonly lags: ReadonlyMap<string, number | undefined>
  close(): Promise<void>
}
