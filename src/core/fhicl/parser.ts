import { skipClass, SPACE } from './characters.ts'
import { scanComments } from './comments.ts'
import type { Comment, FhiclDocument, FhiclValue, Parameter, Protection } from './document.ts'
import type { FhiclError } from './error.ts'
import { numberEnd } from './numbers.ts'
import { checkNested, ProtectionViolation, TableMembers } from './protection.ts'
import { nameEnd, scalarAt } from './scalars.ts'
import { Source } from './source.ts'
import { TopLevel } from './top-level.ts'

/** How deep tables and sequences may stand in one another: far beyond any configuration, far before the stack ends. */
export const DEEPEST = 1000

/**
 * Reads FHiCL as artdaq's converter does, refusing what it refuses (docs/FORMATS.md, FHiCL). Takes text, or bytes.
 * Linear in the size. Throws `FhiclError` with the place.
 */
export const parseFhicl = (input: string | Uint8Array): FhiclDocument => {
  const original = typeof input === 'string' ? input : latin1(input)
  const source = new Source(original)
  const comments = scanComments(original)
  return new Parser(source, comments).document()
}

/** One character a byte, so that bytes above 127 are seen and refused whatever they mean. */
const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

class Parser {
  readonly #source: Source
  readonly #text: string
  readonly #comments: readonly Comment[]
  readonly #commentOn: ReadonlyMap<number, string>
  #at = 0
  #depth = 0
  /** Lines are counted as values come, which is in the order of the text. */
  #line = 1
  #lineEnd: number

  constructor(source: Source, comments: readonly Comment[]) {
    this.#source = source
    this.#text = source.text
    this.#comments = comments
    this.#commentOn = new Map(comments.map(({ line, text }) => [line, text]))
    this.#lineEnd = source.text.indexOf('\n')
  }

  document(): FhiclDocument {
    const parameters = new TopLevel()
    while (this.#take('BEGIN_PROLOG')) {
      while (this.#parameter((key, value) => parameters.bindInProlog(key, value), true));
      if (!this.#take('END_PROLOG')) throw this.#unexpected('a parameter or END_PROLOG')
    }
    while (this.#parameter((key, value) => parameters.bind(key, value), true));
    if (this.#at < this.#text.length) throw this.#unexpected('a parameter')
    return { prolog: parameters.prolog(), main: parameters.main, comments: this.#comments }
  }

  /** Reads one `name: value` and hands it on. False, at the old place, where none begins. */
  #parameter(bind: (key: string, value: FhiclValue) => void, dotted: boolean): boolean {
    this.#skip()
    const start = this.#at
    const key = dotted ? this.#dottedName() : this.#name()
    if (key === undefined) return false
    const protection = this.#binding()
    if (protection === undefined) {
      this.#at = start
      return false
    }
    const value = this.#value(key, protection)
    try {
      checkNested(value)
      bind(key, value)
    } catch (error) {
      if (!(error instanceof ProtectionViolation)) throw error
      throw this.#source.error(start, error.message)
    }
    return true
  }

  #name(): string | undefined {
    const end = nameEnd(this.#text, this.#at)
    if (end < 0) return undefined
    const name = this.#text.slice(this.#at, end)
    this.#at = end
    return name
  }

  /** One key with its dots; blanks around them are dropped. */
  #dottedName(): string | undefined {
    let key = this.#name()
    while (key !== undefined) {
      this.#skip()
      const next = this.#text[this.#at]
      if (next === '[') throw this.#fail('an index in a name', 'Give the whole sequence instead.')
      if (next !== '.') break
      this.#at++
      this.#skip()
      const part = this.#name()
      if (part === undefined) throw this.#fail('no name behind the dot')
      key += `.${part}`
    }
    return key
  }

  #binding(): Protection | undefined {
    this.#skip()
    const given = PROTECTIONS.find((word) => this.#text.startsWith(word, this.#at)) ?? ''
    if (this.#text[this.#at + given.length] !== ':') return undefined
    this.#at += given.length + 1
    return given
  }

  #value(key: string, protection: Protection): FhiclValue {
    this.#skip()
    const start = this.#at
    const line = this.#lineAt(start)
    const isInclude = key.includes('fhicl_pound_include_')
    const comment = isInclude ? '' : this.#commentAbove(line)
    const annotation = isInclude ? '' : (this.#commentOn.get(line) ?? '')
    switch (this.#text[start]) {
      case '{':
        return { type: 'table', members: this.#table(), comment, annotation: '', protection }
      case '[':
        return { type: 'sequence', elements: this.#sequence(), comment, annotation, protection }
      case '(':
        return { type: 'complex', text: this.#complex(), comment, annotation, protection }
    }
    const token = scalarAt(this.#source, start)
    if (token === undefined) throw this.#noValue()
    this.#at = token.end
    const quotes = token.type === 'string_doublequoted' || token.type === 'string_singlequoted' ? 1 : 0
    const text = this.#text.slice(start + quotes, token.end - quotes)
    return { type: token.type, text, comment, annotation, protection }
  }

  #table(): readonly Parameter[] {
    this.#enter()
    const members = new TableMembers()
    while (this.#parameter((key, value) => members.bind(key, value), false));
    if (!this.#take('}')) throw this.#unexpected('a parameter or }')
    this.#depth--
    return members.all
  }

  #sequence(): readonly FhiclValue[] {
    this.#enter()
    const elements: FhiclValue[] = []
    this.#skip()
    // artdaq lets a comma stand before the first element, but none behind the last.
    const next = this.#text[this.#at]
    if (next !== ']' && next !== ',') elements.push(this.#value('', ''))
    while (this.#take(',')) elements.push(this.#value('', ''))
    if (!this.#take(']')) throw this.#unexpected(', or ]')
    this.#depth--
    return elements
  }

  /** The text up to the first blank or comment inside, which is what artdaq keeps of it. */
  #complex(): string {
    const start = this.#at
    this.#at++
    this.#number()
    if (!this.#take(',')) throw this.#unexpected(',')
    this.#number()
    if (!this.#take(')')) throw this.#unexpected(')')
    const text = this.#text.slice(start, this.#at)
    const cut = text.search(/\/\/|[# \t\r\n]/)
    return cut < 0 ? text : text.slice(0, cut)
  }

  #number(): void {
    this.#skip()
    const end = numberEnd(this.#text, this.#at)
    if (end < 0) throw this.#unexpected('a number')
    this.#at = end
  }

  /** White space and comments. */
  #skip(): void {
    const text = this.#text
    while (true) {
      this.#at = skipClass(text, this.#at, SPACE)
      const isComment = text[this.#at] === '#' || text.startsWith('//', this.#at)
      if (!isComment) return
      this.#at = text.indexOf('\n', this.#at) + 1
    }
  }

  #take(word: string): boolean {
    this.#skip()
    if (!this.#text.startsWith(word, this.#at)) return false
    this.#at += word.length
    return true
  }

  #enter(): void {
    if (++this.#depth > DEEPEST) throw this.#fail(`more than ${DEEPEST} tables and sequences in one another`)
    this.#at++
  }

  #lineAt(position: number): number {
    while (this.#lineEnd < position && this.#lineEnd >= 0) {
      this.#line++
      this.#lineEnd = this.#text.indexOf('\n', this.#lineEnd + 1)
    }
    return this.#line
  }

  #commentAbove(line: number): string {
    const above = this.#commentOn.get(line - 1) ?? ''
    return above.startsWith('/') || above.includes('#include ') ? '' : above
  }

  #fail(reason: string, hint?: string): FhiclError {
    return this.#source.error(this.#at, reason, hint)
  }

  #unexpected(wanted: string): FhiclError {
    this.#skip()
    return this.#fail(`${this.#seen()} where ${wanted} should be`)
  }

  #noValue(): FhiclError {
    const unquoted = /^[\w+\-./:;%$~]+/.exec(this.#text.slice(this.#at, this.#at + 80))
    const hint = unquoted ? `Put it in quotes: "${unquoted[0]}".` : undefined
    return this.#fail(`${this.#seen()} where a value should be`, hint)
  }

  #seen(): string {
    const word = /^[^\s,\]}]{1,40}|^[^]/.exec(this.#text.slice(this.#at, this.#at + 40))?.[0]
    return word === undefined ? 'the end of the text' : `"${word}"`
  }
}

const PROTECTIONS = ['@protect_ignore', '@protect_error'] as const
