/** One thing that a configuration points at, and a look whether it is there. */
export interface Probe {
  /** What is looked at, in a word or two: `artdaqDB`. */
  readonly name: string
  /** The setting that points at it: `artdaq_db.database_uri`. Its line is shown when the look fails. */
  readonly setting: string
  /** Returns what was found (`523 runs`). Throws what is wrong. Changes nothing. */
  readonly probe: (signal: AbortSignal) => Promise<string>
}
