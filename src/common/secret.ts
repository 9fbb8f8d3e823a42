/** A password or token. It prints as `[secret]` wherever it is printed; only `reveal`, `current`, `accepted` and `handedOut` give the text. */
export class Secret {
  readonly #text: string
  #current: string
  readonly #readAgain: (() => string) | undefined

  /** `readAgain` reads it from where it came from, and may throw. */
  constructor(text: string, readAgain?: () => string) {
    this.#text = this.#current = text
    this.#readAgain = readAgain
  }

  /** As it was in the configuration. */
  reveal(): string {
    return this.#text
  }

  /**
   * For the one place that hands it to a server: as its file has it now, because passwords are changed while a daemon runs.
   * Where that cannot be read, the last that could.
   */
  current(): string {
    try {
      if (this.#readAgain) this.#current = this.#readAgain()
    } catch {
      // A file that is being replaced, or has become open to others: the server says whether the old one still serves.
    }
    return this.#current
  }

  /** What lets somebody in: what the file holds now. Undefined where the file is gone or holds no token: then it was withdrawn. */
  accepted(): string | undefined {
    try {
      if (this.#readAgain) this.#current = this.#readAgain()
      return this.#current
    } catch {
      return undefined
    }
  }

  /** The text that was used last. Does not read the file: for masking. */
  get handedOut(): string {
    return this.#current
  }

  toString(): string {
    return '[secret]'
  }
  toJSON(): string {
    return '[secret]'
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}
