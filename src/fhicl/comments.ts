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
  readonly #quote: Finder
  readonly #apostrophe: Finder
  readonly #hash: Finder
  readonly #slashes: Finder
  readonly #lineEnds: Finder
  readonly #hasReturns: boolean
  /** The first character above 127, which nothing gets past. */
  readonly #foreign: number

  constructor(text: string) {
    this.#text = text
    this.#quote = new Finder(text, '"')
    this.#apostrophe = new Finder(text, "'")
    this.#hash = new Finder(text, '#')
    this.#slashes = new Finder(text, '//')
    this.#lineEnds = new Finder(text, '\n')
    this.#hasReturns = text.includes('\r')
    const foreign = text.search(/[^\0-\x7f]/)
    this.#foreign = foreign < 0 ? text.length : foreign
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
    const close = (quote === QUOTE ? this.#quote : this.#apostrophe).from(from)
    return close === this.#text.length || close === from || this.#foreign < close ? undefined : close
  }

  /** The next `#`, `//` or character above 127, or, when asked for, quote. */
  #advance(from: number, stopAtQuotes: boolean): number {
    const comment = Math.min(this.#hash.from(from), this.#slashes.from(from), this.#foreign)
    return stopAtQuotes ? Math.min(comment, this.#quote.from(from), this.#apostrophe.from(from)) : comment
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
    if (!this.#hasReturns) {
      for (
        ;
        this.#lineEnds.from(this.#counted) < position;
        this.#counted = this.#lineEnds.from(this.#counted) + 1
      )
        this.#line++
      return this.#line
    }
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

/** Where a text stands next; a place that was found once is not searched for again. */
class Finder {
  readonly #text: string
  readonly #wanted: string
  #next = -1

  constructor(text: string, wanted: string) {
    this.#text = text
    this.#wanted = wanted
  }

  /** At a position or behind it; the text's length where there is none. Positions never decrease. */
  from(position: number): number {
    if (this.#next < position) {
      const found = this.#text.indexOf(this.#wanted, position)
      this.#next = found < 0 ? this.#text.length : found
    }
    return this.#next
  }
}

const isInline = (code: number): boolean => code <= 0x7f && code !== LF && code !== CR
