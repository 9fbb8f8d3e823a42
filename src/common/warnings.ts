/** Writes a warning. Never throws. */
export type Warn = (message: string) => void

/** Stores are opened before the log is. Their warnings go to the log of the session, and to `otherwise` while there is none. */
export class Warnings {
  readonly #otherwise: Warn
  readonly #logs: Warn[] = []

  constructor(otherwise: Warn) {
    this.#otherwise = otherwise
  }

  readonly warn: Warn = (message) => (this.#logs.at(-1) ?? this.#otherwise)(message)

  /** From now on to this log; returns what ends that. */
  to(log: Warn): () => void {
    this.#logs.push(log)
    return () => {
      const at = this.#logs.lastIndexOf(log)
      if (at >= 0) this.#logs.splice(at, 1)
    }
  }
}
