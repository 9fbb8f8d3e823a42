/** Where something stands in a file: from its first byte up to, not including, the one behind its last. */
export interface Extent {
  readonly start: number
  readonly end: number
}

/** Where a document's attachments stand. */
export interface AttachmentPlaces {
  /** The list with its brackets. */
  readonly list: Extent
  readonly items: readonly Extent[]
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const ARRAY = 0x5b
const ARRAY_END = 0x5d
const OBJECT = 0x7b
const OBJECT_END = 0x7d

const KEY = 'attachments'
/** So much of a key is kept: one byte more than the name, so that a longer key is not taken for it. */
const LONGEST_KEY = KEY.length + 1

/**
 * Finds the attachments of a document that comes in pieces, by brackets and quotes alone, so that a large one is never there in whole. As
 * `outlineOf` does it: the first top-level member of this name counts.
 */
export class AttachmentScan {
  #offset = 0
  #depth = 0
  #isInString = false
  #isEscaped = false
  /** Of the top-level member that is being read: whether its key is still to come, and its key. */
  #isKey = true
  #key = ''
  #isListing = false
  #list: { start: number; end: number | undefined } | undefined
  #item: number | undefined
  readonly #items: Extent[] = []
  #isSound = true

  /** The next piece. It is not kept. */
  take(piece: Buffer): void {
    if (piece.includes(0)) this.#isSound = false
    for (let at = 0; at < piece.length && this.#isSound;)
      at = this.#isInString ? this.#skipString(piece, at) : this.#outside(piece, at)
    this.#offset += piece.length
  }

  /** Undefined where the pieces were no document with such a list, or are damaged: who reads it in whole can say what is wrong. */
  places(): AttachmentPlaces | undefined {
    const end = this.#list?.end
    if (!this.#isSound || this.#depth !== 0 || !this.#list || end === undefined) return undefined
    return { list: { start: this.#list.start, end }, items: this.#items }
  }

  #skipString(piece: Buffer, from: number): number {
    let at = from
    if (this.#isEscaped) at++
    this.#isEscaped = false
    for (; at < piece.length; at++) {
      const byte = piece[at]
      if (byte === QUOTE) break
      if (byte === BACKSLASH) at++
    }
    if (this.#depth === 1 && this.#isKey && this.#key.length < LONGEST_KEY)
      this.#key += piece.toString('latin1', from, Math.min(at, from + LONGEST_KEY))
    if (at < piece.length) this.#isInString = false
    else this.#isEscaped = at > piece.length
    return at + 1
  }

  #outside(piece: Buffer, at: number): number {
    const byte = piece[at] ?? 0
    const here = this.#offset + at
    if (byte <= 0x20) return at + 1
    if (this.#isListing && this.#depth === 2 && byte !== COMMA && byte !== ARRAY_END) this.#item ??= here
    switch (byte) {
      case QUOTE:
        this.#isInString = true
        if (this.#depth === 1 && this.#isKey) this.#key = ''
        break
      case COLON:
        if (this.#depth === 1) this.#isKey = false
        break
      case COMMA:
        if (this.#depth === 1) this.#isKey = true
        if (this.#isListing && this.#depth === 2) this.#endItem(here, true)
        break
      case OBJECT:
      case ARRAY:
        this.#open(byte, here)
        break
      case OBJECT_END:
      case ARRAY_END:
        this.#close(here)
        break
      default:
        if (this.#depth === 0) this.#isSound = false
    }
    return at + 1
  }

  #open(byte: number, here: number): void {
    const isMember = this.#depth === 1 && !this.#isKey
    if (byte === ARRAY && isMember && this.#key === KEY && !this.#list) {
      this.#list = { start: here, end: undefined }
      this.#isListing = true
    }
    this.#depth++
  }

  #close(here: number): void {
    if (this.#isListing && this.#depth === 2) {
      this.#endItem(here, this.#items.length > 0)
      this.#isListing = false
      if (this.#list) this.#list.end = here + 1
    }
    if (--this.#depth < 0) this.#isSound = false
  }

  /** `isDue`: an item must stand here. */
  #endItem(end: number, isDue: boolean): void {
    if (this.#item !== undefined) this.#items.push({ start: this.#item, end })
    else if (isDue) this.#isSound = false
    this.#item = undefined
  }
}
