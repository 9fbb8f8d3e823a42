/** Bytes of payloads whose rows may wait for a commit. */
const MOST_BYTES = 4_194_304

/** Room for items whose rows wait for a commit that they share, so that memory is bounded whatever their size. */
export class CommitRoom {
  #items: number
  #bytes = MOST_BYTES

  /** `items`: how many have room at once. */
  constructor(items: number) {
    this.#items = items
  }

  /** Takes room for an item with a payload of so many bytes. Returns a function that gives the room back; undefined where no room is left. */
  enter(bytes: number): (() => void) | undefined {
    if (this.#items === 0 || this.#bytes < bytes) return undefined
    this.#items -= 1
    this.#bytes -= bytes
    return () => {
      this.#items += 1
      this.#bytes += bytes
    }
  }
}
