const NEWLINE = 0x0a
const QUOTE = 0x22
const COMMA = 0x2c
const CLOSE_LIST = 0x5d
const BACKSLASH = 0x5c

/** Steps over an index in artdaq's own layout, and checks every byte of it. Where a method returns undefined or false, it is another layout, or damaged. */
export class IndexLines {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get at(): number {
    return this.#at
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  take(text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.#bytes[this.#at + i] !== text.charCodeAt(i)) return false
    this.#at += text.length
    return true
  }

  /** Gives the place of each item up to and including `\n]`. */
  list(item: (from: number, to: number) => void): boolean {
    if (this.#bytes[this.#at] === NEWLINE) return this.take('\n]')
    for (;;) {
      const from = this.#at + 1
      if (!this.#string()) return false
      item(from, this.#at - 1)
      const next = this.#bytes[this.#at++]
      const last = this.#bytes[this.#at++]
      if (next === NEWLINE) return last === CLOSE_LIST
      if (next !== COMMA || last !== NEWLINE) return false
    }
  }

  /** Steps over the bytes between two places that were stepped over before, where the same stand here. */
  takeAgain([from, to]: readonly [from: number, to: number]): boolean {
    const end = this.#at + to - from
    if (end > this.#bytes.length || this.#bytes.compare(this.#bytes, from, to, this.#at, end) !== 0)
      return false
    this.#at = end
    return true
  }

  /** Steps over a name and the beginning of its list, and returns the name. */
  name(): string | undefined {
    const from = this.#at + 1
    if (!this.#string()) return undefined
    const to = this.#at - 1
    return this.take(' : [\n') ? this.#bytes.toString('latin1', from, to) : undefined
  }

  /** Gives each name, whose list `list` steps over, up to and including `\n}`. */
  names(list: (name: string) => boolean): boolean {
    if (this.take('\n}')) return true
    const names = new Set<string>()
    for (;;) {
      const name = this.name()
      if (name === undefined || names.has(name) || !list(name)) return false
      names.add(name)
      if (this.take('\n}')) return true
      if (!this.take(',\n')) return false
    }
  }

  /** A string without escapes and control characters, the only kind that names of runs and documents need. */
  #string(): boolean {
    const bytes = this.#bytes
    let at = this.#at
    if (bytes[at++] !== QUOTE) return false
    for (; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      if (byte === QUOTE) {
        this.#at = at + 1
        return true
      }
      if (byte < 0x20 || byte === BACKSLASH) return false
    }
    return false
  }
}
