import { skipClass, SPACE } from './characters.ts'
import type { FhiclError } from './error.ts'
import type { Source } from './source-text.ts'

const HASH = 0x23
const SLASH = 0x2f

/** A position in a text that only ever moves on: passes over blanks, counts lines, and says what it stands before. */
export class Cursor {
  readonly source: Source
  readonly text: string
  at = 0
  #line = 1
  #lineEnd: number

  constructor(source: Source) {
    this.source = source
    this.text = source.text
    this.#lineEnd = source.text.indexOf('\n')
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length
  }

  /** Passes over white space and comments. */
  skip(): void {
    const { text } = this
    while (true) {
      this.at = skipClass(text, this.at, SPACE)
      if (this.isAtEnd) return
      const code = text.charCodeAt(this.at)
      if (code !== HASH && (code !== SLASH || text.charCodeAt(this.at + 1) !== SLASH)) return
      this.at = text.indexOf('\n', this.at) + 1
    }
  }

  /** Passes over blanks and the word, if it is next. */
  take(word: string): boolean {
    this.skip()
    if (!this.text.startsWith(word, this.at)) return false
    this.at += word.length
    return true
  }

  /** The line of the position, from 1. */
  line(): number {
    while (this.#lineEnd < this.at && this.#lineEnd >= 0) {
      this.#line++
      this.#lineEnd = this.text.indexOf('\n', this.#lineEnd + 1)
    }
    return this.#line
  }

  fail(reason: string, hint?: string): FhiclError {
    return this.source.error(this.at, reason, hint)
  }

  /** For where something else should be next. */
  unexpected(wanted: string): FhiclError {
    this.skip()
    return this.fail(`${this.#seen()} where ${wanted} should be`)
  }

  noValue(): FhiclError {
    const unquoted = /^[\w+\-./:;%$~]+/.exec(this.text.slice(this.at, this.at + 80))
    const hint = unquoted ? `Put it in quotes: "${unquoted[0]}".` : undefined
    return this.fail(`${this.#seen()} where a value should be`, hint)
  }

  #seen(): string {
    const word = /^[^\s,\]}]{1,40}|^[^]/.exec(this.text.slice(this.at, this.at + 40))?.[0]
    return word === undefined ? 'the end of the text' : `"${word}"`
  }
}
