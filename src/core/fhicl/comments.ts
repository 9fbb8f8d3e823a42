import type { Comment } from './document.ts'

const QUOTE = 0x22
const APOSTROPHE = 0x27
const HASH = 0x23
const SLASH = 0x2f
const LF = 0x0a
const CR = 0x0d

/**
 * Every comment that artdaq finds (docs/FORMATS.md, FHiCL). Its scan knows quotes but no FHiCL: an empty string ends the
 * quote tracking up to the next comment, an escaped quote turns inside into outside, and a character above 127 stops it.
 * Takes the text as it was given, before anything is replaced. Linear, whatever the quotes.
 */
export const scanComments = (text: string): Comment[] => {
  const scan = new CommentScan(text)
  const comments: Comment[] = []
  for (let found = scan.next(); found; found = scan.next()) comments.push(found)
  return comments
}

class CommentScan {
  readonly #text: string
  #at = 0
  #line = 1
  /** Up to where lines were counted, and which half of a pair of line ends stands before it. */
  #counted = 0
  #pairOpen = 0
  /** Where the next quote of each kind stands, so that a search that finds none is not made again and again. */
  readonly #nextQuote = new Map<number, number>()

  constructor(text: string) {
    this.#text = text
  }

  next(): Comment | undefined {
    const text = this.#text
    if (this.#at > 0 && !this.#skipLineEnd()) return undefined
    this.#skipQuoted()
    const start = this.#advance(this.#at, false)
    if (!this.#isComment(start)) return undefined
    let end = start
    for (let code = text.charCodeAt(end); isInline(code); code = text.charCodeAt(end)) end++
    this.#at = end
    return { line: this.#lineOf(start), text: text.slice(start, end) }
  }

  /** Passes over whole quoted strings, as far as they can be followed. */
  #skipQuoted(): void {
    this.#at = this.#advance(this.#at, true)
    while (true) {
      const quote = this.#text.charCodeAt(this.#at)
      if (quote !== QUOTE && quote !== APOSTROPHE) return
      const close = this.#closing(quote)
      if (close === undefined) return
      this.#at = this.#advance(close + 1, true)
    }
  }

  /** The next quote of the same kind, if there is something between and all of it is ASCII. */
  #closing(quote: number): number | undefined {
    const from = this.#at + 1
    let close = this.#nextQuote.get(quote) ?? -1
    if (close < from) {
      close = this.#text.indexOf(String.fromCharCode(quote), from)
      if (close < 0) close = Infinity
      this.#nextQuote.set(quote, close)
    }
    return close === Infinity || close === from || this.#nextForeign(from) < close ? undefined : close
  }

  #foreign = -1
  /** The next character above 127. */
  #nextForeign(from: number): number {
    if (this.#foreign < from) {
      const found = this.#text.slice(from).search(/[^\0-\x7f]/)
      this.#foreign = found < 0 ? Infinity : from + found
    }
    return this.#foreign
  }

  /** The next `#`, `//` or character above 127, or, when asked for, quote. */
  #advance(from: number, stopAtQuotes: boolean): number {
    const text = this.#text
    let at = from
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code > 0x3f ? code > 0x7f : code === HASH) break
      if (code === SLASH && text.charCodeAt(at + 1) === SLASH) break
      if (stopAtQuotes && (code === QUOTE || code === APOSTROPHE)) break
    }
    return at
  }

  #isComment(at: number): boolean {
    const code = this.#text.charCodeAt(at)
    return code === HASH || (code === SLASH && this.#text.charCodeAt(at + 1) === SLASH)
  }

  #skipLineEnd(): boolean {
    const code = this.#text.charCodeAt(this.#at)
    if (code !== LF && code !== CR) return false
    const pair = code === CR && this.#text.charCodeAt(this.#at + 1) === LF
    this.#at += pair ? 2 : 1
    return true
  }

  /** Lines end at `\n`, at `\r`, and once at a pair of both. */
  #lineOf(position: number): number {
    for (let at = this.#counted; at < position; at++) {
      const code = this.#text.charCodeAt(at)
      if (code !== LF && code !== CR) this.#pairOpen = 0
      else if (this.#pairOpen !== 0 && this.#pairOpen !== code) this.#pairOpen = 0
      else {
        this.#line++
        this.#pairOpen = code
      }
    }
    this.#counted = position
    return this.#line
  }
}

const isInline = (code: number): boolean => code <= 0x7f && code !== LF && code !== CR
