/** Bytes of a file in one attachment; a larger file is kept in several, so that no string grows without bound. */
export const PART = 4 << 20
/** Bytes: 4 GiB. A file that is said to be larger is put together of its parts, for such a size may be damage. */
const MOST = 2 ** 32

/** Puts a file together from its parts: a large one in a buffer of the size that the manifest says, so that it is never there twice. */
export class PartsOfFile {
  readonly #parts: Buffer[] = []
  readonly #buffer: Buffer | undefined
  #length = 0

  constructor(size: number | undefined, of: number) {
    // A size that its parts cannot have is damage: it shows when the file is compared with the manifest.
    const isPossible = size !== undefined && of > 1 && size >= 0 && size <= Math.min(of * PART, MOST)
    this.#buffer = isPossible ? Buffer.allocUnsafe(size) : undefined
  }

  add(part: Buffer): void {
    if (this.#buffer && this.#length + part.length <= this.#buffer.length)
      part.copy(this.#buffer, this.#length)
    else this.#parts.push(part)
    this.#length += part.length
  }

  whole(): Buffer {
    if (!this.#buffer) return Buffer.concat(this.#parts)
    if (this.#parts.length === 0) return this.#buffer.subarray(0, this.#length)
    const copied = this.#length - this.#parts.reduce((sum, { length }) => sum + length, 0)
    return Buffer.concat([this.#buffer.subarray(0, copied), ...this.#parts])
  }
}
