import { JsonObject, type JsonValue } from '../artdaq-json/model.ts'
import { skipClass, SPACE } from './characters.ts'
import { scanComments } from './comments.ts'
import type { Comment, FhiclDocument, Protection } from './document.ts'
import type { FhiclError } from './error.ts'
import { rootNode, ScalarNodes, sequenceNode, tableNode, type Described, type Noted } from './nodes.ts'
import { Notes } from './notes.ts'
import { numberEnd } from './numbers.ts'
import { nameEnd, scalarAt } from './scalars.ts'
import { checkNested, ProtectionViolation, TableScope, type Scope } from './scope.ts'
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
  return new Parser(source, scanComments(original)).document()
}

/** One character a byte, so that bytes above 127 are seen and refused whatever they mean. */
const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

const HASH = 0x23
const SLASH = 0x2f
const COLON = 0x3a
const AT = 0x40
const INCLUDE = 'fhicl_pound_include_'
const PROTECTIONS = ['@protect_ignore', '@protect_error'] as const

/** What an element of a sequence, which has no name, is called. */
const ELEMENT = ''

class Parser {
  readonly #source: Source
  readonly #text: string
  readonly #comments: readonly Comment[]
  readonly #notes: Notes
  readonly #scalars = new ScalarNodes()
  #at = 0
  #depth = 0
  /** Lines are counted as values come, which is in the order of the text. */
  #line = 1
  #lineEnd: number

  constructor(source: Source, comments: readonly Comment[]) {
    this.#source = source
    this.#text = source.text
    this.#comments = comments
    this.#notes = new Notes(comments)
    this.#lineEnd = source.text.indexOf('\n')
  }

  document(): FhiclDocument {
    const top = new TopLevel()
    while (this.#take('BEGIN_PROLOG')) {
      this.#parameters(top.prolog)
      if (!this.#take('END_PROLOG')) throw this.#unexpected('a parameter or END_PROLOG')
    }
    this.#parameters(top.main)
    if (this.#at < this.#text.length) throw this.#unexpected('a parameter')
    const prolog = top.keptProlog()
    const { main } = top
    return {
      data: JsonObject.of(['prolog', prolog.values()], ['main', main.values()]),
      metadata: JsonObject.of(
        ['prolog', rootNode('prolog', prolog.nodes())],
        ['main', rootNode('main', main.nodes())],
      ),
      comments: this.#comments,
    }
  }

  /** Reads `name: value` as often as it comes, and stays before what is none. */
  #parameters(scope: Scope): void {
    while (true) {
      this.#skip()
      const start = this.#at
      const key = scope.dotted ? this.#dottedName() : this.#name()
      const protection = key === undefined ? undefined : this.#binding()
      if (key === undefined || protection === undefined) {
        this.#at = start
        return
      }
      this.#bind(scope, key, protection, start)
    }
  }

  #bind(scope: Scope, key: string, protection: Protection, start: number): void {
    const described = this.#value(key, protection)
    try {
      if (protection !== '') checkNested(described.node)
      scope.bind(key, described)
    } catch (error) {
      if (!(error instanceof ProtectionViolation)) throw error
      throw this.#source.error(start, error.message)
    }
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
    const next = this.#text.charCodeAt(this.#at)
    if (next !== COLON && next !== AT) return undefined
    const given = PROTECTIONS.find((word) => next === AT && this.#text.startsWith(word, this.#at)) ?? ''
    if (this.#text.charCodeAt(this.#at + given.length) !== COLON) return undefined
    this.#at += given.length + 1
    return given
  }

  #value(key: string, protection: Protection): Described {
    this.#skip()
    const start = this.#at
    const noted = this.#noted(key, protection)
    switch (this.#text[start]) {
      case '{':
        return this.#table(noted)
      case '[':
        return this.#sequence(noted)
      case '(':
        return { value: this.#complex(), node: this.#scalars.of('complex', noted) }
    }
    const token = scalarAt(this.#source, start)
    if (token === undefined) throw this.#noValue()
    this.#at = token.end
    const quotes = token.type === 'string_doublequoted' || token.type === 'string_singlequoted' ? 1 : 0
    const value = this.#text.slice(start + quotes, token.end - quotes)
    return { value, node: this.#scalars.of(token.type, noted) }
  }

  /** What the comments say of the value that starts here. */
  #noted(key: string, protection: Protection): Noted {
    if (key.includes(INCLUDE)) return { comment: '', annotation: '', protection }
    this.#notes.moveTo(this.#lineAt(this.#at))
    const { comment, annotation } = this.#notes
    return { comment, annotation, protection }
  }

  #table(noted: Noted): Described {
    this.#enter()
    const scope = new TableScope()
    this.#parameters(scope)
    if (!this.#take('}')) throw this.#unexpected('a parameter or }')
    this.#depth--
    const { values, nodes } = scope.close()
    return { value: values, node: tableNode(nodes, noted) }
  }

  #sequence(noted: Noted): Described {
    this.#enter()
    const values: JsonValue[] = []
    const nodes: JsonObject[] = []
    this.#skip()
    // artdaq lets a comma stand before the first element, but none behind the last.
    let more = this.#take(',') || this.#text[this.#at] !== ']'
    while (more) {
      const { value, node } = this.#value(ELEMENT, '')
      values.push(value)
      nodes.push(node)
      more = this.#take(',')
    }
    if (!this.#take(']')) throw this.#unexpected(', or ]')
    this.#depth--
    return { value: values.slice(), node: sequenceNode(nodes.slice(), noted) }
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
      const code = text.charCodeAt(this.#at)
      if (code !== HASH && (code !== SLASH || text.charCodeAt(this.#at + 1) !== SLASH)) return
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
