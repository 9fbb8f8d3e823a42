/** What was read last, under a key that changes with what it was read from. Several who ask at once wait for one reading. */
export class KeptReading<T> {
  #kept: { readonly key: string; readonly value: T } | undefined
  #reading: { readonly key: string; readonly value: Promise<T> } | undefined

  get kept(): { readonly key: string; readonly value: T } | undefined {
    return this.#kept
  }

  /** What is kept under the key, else what `read` gives, which is kept from then on. Throws what `read` throws, to all who wait for it. */
  async of(key: string, read: () => Promise<T>): Promise<T> {
    if (this.#kept?.key === key) return this.#kept.value
    if (this.#reading?.key !== key) this.#reading = { key, value: read() }
    const reading = this.#reading
    try {
      const value = await reading.value
      // What was kept since is newer.
      if (this.#reading === reading) this.#kept = { key, value }
      return value
    } finally {
      if (this.#reading === reading) this.#reading = undefined
    }
  }

  /** Keeps what was made otherwise. */
  keep(key: string, value: T): void {
    this.#reading = undefined
    this.#kept = { key, value }
  }

  /** Has it read again by who asks next. A reading that has begun goes on: it was asked for. */
  forget(): void {
    this.#kept = undefined
  }
}
