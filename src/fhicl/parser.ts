import { JsonObject, type JsonValue } from './json/model.ts'
import { scanComments } from './comments.ts'
import { Cursor } from './cursor.ts'
import type { Comment, FhiclDocument, Protection } from './document.ts'
import {
  rootNode,
  ScalarNodes,
  sequenceNode,
  tableNode,
  type Described,
  type Noted,
  type Remarks,
} from './nodes.ts'
import { Notes } from './comment-attachment.ts'
import { numberEnd } from './numbers.ts'
import { nameEnd, scalarAt } from './scalars.ts'
import { checkNested, ProtectionViolation, TableScope, type Scope } from './table-scope.ts'
import { Source } from './source-text.ts'
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

const COLON = 0x3a
const AT = 0x40
const OPEN_TABLE = 0x7b
const OPEN_SEQUENCE = 0x5b
const OPEN_COMPLEX = 0x28
const NO_REMARKS: Remarks = { comment: '', annotation: '' }
const INCLUDE = 'fhicl_pound_include_'
const PROTECTIONS = ['@protect_ignore', '@protect_error'] as const

/** What an element of a sequence, which has no name, is called. */
const ELEMENT = ''

class Parser {
  readonly #cursor: Cursor
  readonly #text: string
  readonly #comments: readonly Comment[]
  readonly #notes: Notes
  readonly #scalars = new ScalarNodes()
  readonly #hasIncludes: boolean
  #depth = 0

  constructor(source: Source, comments: readonly Comment[]) {
    this.#cursor = new Cursor(source)
    this.#text = source.text
    this.#comments = comments
    this.#notes = new Notes(comments)
    this.#hasIncludes = source.text.includes(INCLUDE)
  }

  document(): FhiclDocument {
    const top = new TopLevel()
    while (this.#cursor.take('BEGIN_PROLOG')) {
      this.#parameters(top.prolog)
      if (!this.#cursor.take('END_PROLOG')) throw this.#cursor.unexpected('a parameter or END_PROLOG')
    }
    this.#parameters(top.main)
    if (!this.#cursor.isAtEnd) throw this.#cursor.unexpected('a parameter')
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
      this.#cursor.skip()
      const start = this.#cursor.at
      const key = scope.dotted ? this.#dottedName() : this.#name()
      const protection = key === undefined ? undefined : this.#binding()
      if (key === undefined || protection === undefined) {
        this.#cursor.at = start
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
      throw this.#cursor.source.error(start, error.message)
    }
  }

  #name(): string | undefined {
    const end = nameEnd(this.#text, this.#cursor.at)
    if (end < 0) return undefined
    const name = this.#text.slice(this.#cursor.at, end)
    this.#cursor.at = end
    return name
  }

  /** One key with its dots; blanks around them are dropped. */
  #dottedName(): string | undefined {
    let key = this.#name()
    while (key !== undefined) {
      this.#cursor.skip()
      const next = this.#text[this.#cursor.at]
      if (next === '[') throw this.#cursor.fail('an index in a name', 'Give the whole sequence instead.')
      if (next !== '.') break
      this.#cursor.at++
      this.#cursor.skip()
      const part = this.#name()
      if (part === undefined) throw this.#cursor.fail('no name behind the dot')
      key += `.${part}`
    }
    return key
  }

  #binding(): Protection | undefined {
    this.#cursor.skip()
    const next = this.#text.charCodeAt(this.#cursor.at)
    if (next !== COLON && next !== AT) return undefined
    const given =
      next === AT ? (PROTECTIONS.find((word) => this.#text.startsWith(word, this.#cursor.at)) ?? '') : ''
    if (this.#text.charCodeAt(this.#cursor.at + given.length) !== COLON) return undefined
    this.#cursor.at += given.length + 1
    return given
  }

  #value(key: string, protection: Protection): Described {
    this.#cursor.skip()
    const start = this.#cursor.at
    const remarks = this.#remarks(key)
    switch (this.#text.charCodeAt(start)) {
      case OPEN_TABLE:
        return this.#table({ comment: remarks.comment, annotation: remarks.annotation, protection })
      case OPEN_SEQUENCE:
        return this.#sequence({ comment: remarks.comment, annotation: remarks.annotation, protection })
      case OPEN_COMPLEX:
        return { value: this.#complex(), node: this.#scalars.of('complex', remarks, protection) }
    }
    const token = scalarAt(this.#cursor.source, start)
    if (token === undefined) throw this.#cursor.noValue()
    this.#cursor.at = token.end
    const quotes = token.type === 'string_doublequoted' || token.type === 'string_singlequoted' ? 1 : 0
    const value = this.#text.slice(start + quotes, token.end - quotes)
    return { value, node: this.#scalars.of(token.type, remarks, protection) }
  }

  /** What the comments say of the value that starts here, until the next is asked for. */
  #remarks(key: string): Remarks {
    if (this.#hasIncludes && key.includes(INCLUDE)) return NO_REMARKS
    this.#notes.moveTo(this.#cursor.line())
    return this.#notes
  }

  #table(noted: Noted): Described {
    this.#enter()
    const scope = new TableScope()
    this.#parameters(scope)
    if (!this.#cursor.take('}')) throw this.#cursor.unexpected('a parameter or }')
    this.#depth--
    const { values, nodes } = scope.close()
    return { value: values, node: tableNode(nodes, noted) }
  }

  #sequence(noted: Noted): Described {
    this.#enter()
    const values: JsonValue[] = []
    const nodes: JsonObject[] = []
    this.#cursor.skip()
    // artdaq lets a comma stand before the first element, but none behind the last.
    let more = this.#cursor.take(',') || this.#text[this.#cursor.at] !== ']'
    while (more) {
      const { value, node } = this.#value(ELEMENT, '')
      values.push(value)
      nodes.push(node)
      more = this.#cursor.take(',')
    }
    if (!this.#cursor.take(']')) throw this.#cursor.unexpected(', or ]')
    this.#depth--
    return { value: values.slice(), node: sequenceNode(nodes.slice(), noted) }
  }

  /** The text up to the first blank or comment inside, which is what artdaq keeps of it. */
  #complex(): string {
    const start = this.#cursor.at
    this.#cursor.at++
    this.#number()
    if (!this.#cursor.take(',')) throw this.#cursor.unexpected(',')
    this.#number()
    if (!this.#cursor.take(')')) throw this.#cursor.unexpected(')')
    const text = this.#text.slice(start, this.#cursor.at)
    const cut = text.search(/\/\/|[# \t\r\n]/)
    return cut < 0 ? text : text.slice(0, cut)
  }

  #number(): void {
    this.#cursor.skip()
    const end = numberEnd(this.#text, this.#cursor.at)
    if (end < 0) throw this.#cursor.unexpected('a number')
    this.#cursor.at = end
  }

  #enter(): void {
    if (++this.#depth > DEEPEST)
      throw this.#cursor.fail(`more than ${DEEPEST} tables and sequences in one another`)
    this.#cursor.at++
  }
}
