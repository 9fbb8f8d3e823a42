import { SaxesParser } from 'saxes'
import { ItemError } from '../item-error.ts'
import { bareReference } from './bare-reference.ts'
import type { Reach, Selection } from './reach.ts'
import { growElement, type Element, type GrowingElement, type Limits } from './tree.ts'

/** How names of a document become names that the mapping compares. */
export interface Naming {
  /** `ignore`: local names alone. `declared`: names with their namespace, `{urn:x}name`. */
  readonly namespaces: 'ignore' | 'declared'
  /** Attribute names are compared without case. */
  readonly ignoreAttributeCase: boolean
}

export interface XmlOptions {
  readonly limits: Limits
  readonly naming: Naming
  readonly selection: Selection
}

/** Characters handed to the parser at once. */
const CHUNK = 65_536
const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/'

/** Characters that a name may have and not begin with. */
const NO_START = /^[-.0-9\u00b7\u0300-\u036f\u203f\u2040]/u

interface Frame {
  readonly element: GrowingElement | undefined
  readonly reach: Reach | undefined
  readonly name: string
  readonly tag: string
  /** Prefixes that this element binds. */
  readonly bindings: ReadonlyMap<string, string> | undefined
}

/**
 * Reads one XML 1.0 document strictly, in one pass. A document type, version 1.1, and whatever is beyond the limits is refused
 * before anything is expanded. Elements that the selection does not reach are read for their faults and not kept.
 */
export const readXml = (text: string, options: XmlOptions): Element => {
  const parser = new SaxesParser({ xmlns: false, position: true })
  const builder = new Builder(parser, text, options)
  for (let at = 0; at < text.length; at += CHUNK) parser.write(text.slice(at, at + CHUNK))
  parser.close()
  return builder.root()
}

class Builder {
  readonly #parser: SaxesParser
  readonly #text: string
  readonly #limits: Limits
  readonly #naming: Naming
  readonly #selection: Selection
  readonly #frames: Frame[] = []
  #root: GrowingElement | undefined
  #nodes = 0

  constructor(parser: SaxesParser, text: string, { limits, naming, selection }: XmlOptions) {
    this.#parser = parser
    this.#text = text
    this.#limits = limits
    this.#naming = naming
    this.#selection = selection
    parser.on('error', (error) => {
      throw this.#broken(error.message.replace(/^(?:undefined:)?\d+:\d+: /, '').replace(/\.$/, ''))
    })
    parser.on('doctype', () => {
      throw new ItemError('XML_DOCTYPE', 'the payload has a document type, which is refused', this.#place())
    })
    parser.on('xmldecl', ({ version }) => {
      if (version !== undefined && version !== '1.0')
        throw this.#broken(`version ${version.slice(0, 8)} is not read, only 1.0`)
    })
    parser.on('opentag', (tag) => this.#open(tag.name, tag.attributes))
    parser.on('closetag', () => void this.#frames.pop())
    parser.on('text', (text) => this.#append(text))
    parser.on('cdata', (text) => this.#append(text))
  }

  root(): Element {
    if (this.#root) return this.#root
    throw this.#broken('there is no root element')
  }

  #place(): { line: number; column: number } {
    return { line: this.#parser.line, column: this.#parser.column }
  }

  #broken(found: string): ItemError {
    const bare = bareReference(this.#text, this.#parser.position)
    const place = bare ?? this.#place()
    const message = bare ? 'an ampersand begins no reference' : found
    return new ItemError(
      'XML_NOT_WELL_FORMED',
      `the payload is no XML at line ${place.line}, column ${place.column}: ${withoutText(message)}`,
      place,
    )
  }

  #open(tag: string, attributes: Readonly<Record<string, string>>): void {
    const { depth, nodes, attributes: most } = this.#limits
    if (this.#frames.length >= depth)
      throw new ItemError(
        'XML_TOO_DEEP',
        `the payload is nested deeper than ${depth} levels (limits.depth)`,
        this.#place(),
      )
    const names = Object.keys(attributes)
    this.#nodes += 1 + names.length
    if (this.#nodes > nodes || names.length > most)
      throw new ItemError(
        'XML_TOO_LARGE',
        names.length > most
          ? `an element has more than ${most} attributes (limits.attributes)`
          : `the payload has more than ${nodes} elements and attributes (limits.nodes)`,
        this.#place(),
      )
    const above = this.#frames.at(-1)
    const bindings = bindingsOf(names, attributes)
    if (bindings)
      for (const [prefix, uri] of bindings)
        if (!mayBind(prefix, uri)) throw this.#broken('a prefix is bound to what it cannot be')
    const scope: Frame = { element: undefined, reach: undefined, name: '', tag, bindings }
    this.#frames.push(scope)
    const name = this.#nameOf(tag, true)
    const reach = above ? this.#below(above.reach, name) : this.#rootReach(name)
    const kept = reach !== undefined || this.#selection.anywhere.has(name)
    this.#checkPrefixes(names)
    const element = kept ? this.#build(name, tag, names, attributes) : undefined
    this.#frames[this.#frames.length - 1] = { element, reach, name, tag, bindings }
  }

  /** Attributes with a prefix must have one that is bound, and be different ones whatever their prefixes. */
  #checkPrefixes(names: readonly string[]): void {
    let seen: Set<string> | undefined
    for (const written of names) {
      const colon = written.indexOf(':')
      if (colon < 0 || written.startsWith('xmlns:')) continue
      this.#nameOf(written, false)
      const name = `{${this.#bound(written.slice(0, colon))}}${written.slice(colon + 1)}`
      if (seen?.has(name)) throw this.#broken('two attributes of an element have the same name')
      seen = (seen ?? new Set()).add(name)
    }
  }

  #rootReach(name: string): Reach {
    const { root } = this.#selection
    return root.all ? root : (root.children.get(name) ?? { children: new Map(), all: false })
  }

  #below(reach: Reach | undefined, name: string): Reach | undefined {
    return reach?.all === true ? reach : reach?.children.get(name)
  }

  #build(
    name: string,
    tag: string,
    names: readonly string[],
    attributes: Readonly<Record<string, string>>,
  ): GrowingElement {
    const values = new Map<string, string>()
    const plain = new Set<string>()
    let doubled: Set<string> | undefined
    for (const attribute of names) {
      if (attribute === 'xmlns' || attribute.startsWith('xmlns:')) continue
      const compared = this.#nameOf(attribute, false)
      // The mapping takes two names for one: without a prefix counts more than with one, else the name is ambiguous.
      if (values.has(compared)) {
        const isPlain = !attribute.includes(':')
        if (isPlain === plain.has(compared)) (doubled ??= new Set()).add(compared)
        else doubled?.delete(compared)
        if (!isPlain && plain.has(compared)) continue
      }
      if (!attribute.includes(':')) plain.add(compared)
      values.set(compared, attributes[attribute] ?? '')
    }
    const element = growElement(name, tag, values, this.#parentFor(this.#frames.length - 2))
    element.doubled = doubled
    if (!element.parent) this.#root = element
    return element
  }

  /** The element of a frame, made bare where it was not to be kept and something below it is. */
  #parentFor(depth: number): GrowingElement | undefined {
    const frame = this.#frames[depth]
    if (!frame) return undefined
    if (frame.element) return frame.element
    const element = growElement(frame.name, frame.tag, new Map(), this.#parentFor(depth - 1))
    this.#frames[depth] = { ...frame, element }
    return element
  }

  #append(text: string): void {
    const element = this.#frames.at(-1)?.element
    if (element) element.text += text
  }

  /** The name as the mapping compares it. A prefix must be bound, whatever is done with namespaces. */
  #nameOf(written: string, isElement: boolean): string {
    const colon = written.indexOf(':')
    const prefix = colon < 0 ? '' : written.slice(0, colon)
    const local = written.slice(colon + 1)
    if (colon >= 0 && (prefix === '' || local === '' || local.includes(':') || NO_START.test(local)))
      throw this.#broken('a name has a colon in the wrong place')
    if (isElement && prefix === 'xmlns') throw this.#broken('an element has the prefix xmlns')
    if (prefix === 'xmlns' || written === 'xmlns') return written
    const uri = prefix === '' && !isElement ? '' : this.#bound(prefix)
    if (uri === undefined) throw this.#broken('a prefix is not bound to a namespace')
    const plain = !isElement && this.#naming.ignoreAttributeCase ? local.toLowerCase() : local
    return this.#naming.namespaces === 'ignore' || uri === '' ? plain : `{${uri}}${plain}`
  }

  #bound(prefix: string): string | undefined {
    if (prefix === 'xml') return XML_NAMESPACE
    for (let depth = this.#frames.length - 1; depth >= 0; depth--) {
      const uri = this.#frames[depth]?.bindings?.get(prefix)
      if (uri !== undefined) return uri
    }
    return prefix === '' ? '' : undefined
  }
}

const bindingsOf = (
  names: readonly string[],
  attributes: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> | undefined => {
  let bindings: Map<string, string> | undefined
  for (const name of names)
    if (name === 'xmlns' || name.startsWith('xmlns:'))
      (bindings ??= new Map()).set(name.slice(6), attributes[name] ?? '')
  return bindings
}

/** What the standard lets a prefix stand for: only the default can be taken back, and `xml` and `xmlns` are what they are. */
const mayBind = (prefix: string, uri: string): boolean =>
  prefix === 'xml'
    ? uri === XML_NAMESPACE
    : prefix !== 'xmlns' && uri !== XML_NAMESPACE && uri !== XMLNS_NAMESPACE && (uri !== '' || prefix === '')

/** The parser quotes names of the document, which may hold anything. */
const withoutText = (message: string): string =>
  message.replace(/:.*$/s, '').replace(/["'`].*["'`]/s, 'a name')
