import type { Session } from '../sql/session.ts'

/** What the servers say. Lag in seconds; `undefined`: not known, which counts as too much where there is a limit. */
export interface Probe {
  /** Whether the user sees what other sessions do. PostgreSQL hides that from most, and what is hidden would count as nothing. */
  seesOthers(source: Session): Promise<boolean>
  /** Whether there is anything that says how late replicas are. */
  knowsReplicas(source: Session): Promise<boolean>
  lag(source: Session): Promise<number | undefined>
  hll(source: Session): Promise<number | undefined>
  status(source: Session, name: string): Promise<number | undefined>
  query(source: Session, sql: string): Promise<number>
  /** Seconds of lag of each replica at the last look; undefined: it did not answer. */
  readonly lags: ReadonlyMap<string, number | undefined>
  close(): Promise<void>
}
