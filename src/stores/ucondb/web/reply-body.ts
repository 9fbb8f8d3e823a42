/** Bytes from which a body is put together in one buffer as it arrives: of a large one there would be two, the pieces and the whole. */
const LARGE = 1_000_000

/** A reply's body, of which the server says how large it will be, or not. What it says is not relied on. */
export class ReplyBody {
  readonly #parts: Buffer[] = []
  readonly #buffer: Buffer | undefined
  #length = 0

  /** `declared`: what the server says; `most`: the bytes that are taken. Memory that no byte arrives for is never touched. */
  constructor(declared: unknown, most: number) {
    const size = typeof declared === 'string' && /^\d+$/.test(declared) ? Number(declared) : 0
    this.#buffer = size >= LARGE && size <= most ? Buffer.allocUnsafe(size) : undefined
  }

  add(part: Buffer): void {
    const fits = this.#buffer && this.#length + part.length <= this.#buffer.length
    if (this.#buffer && fits && this.#parts.length === 0) part.copy(this.#buffer, this.#length)
    else this.#parts.push(part)
    this.#length += part.length
  }

  whole(): Buffer {
    const more = this.#parts.reduce((sum, { length }) => sum + length, 0)
    const first = this.#buffer?.subarray(0, this.#length - more)
    if (!first) return Buffer.concat(this.#parts, this.#length)
    return more === 0 ? first : Buffer.concat([first, ...this.#parts], this.#length)
  }
}
