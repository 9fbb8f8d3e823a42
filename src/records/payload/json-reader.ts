import { ItemError } from '../item-error.ts'
import { growElement, type Element, type GrowingElement, type Limits } from './tree.ts'

/**
 * Reads one JSON document as elements: a member is an element, and an attribute as well where it is a plain value; an array is an element
 * repeated; null is not there. Numbers keep their digits. The document is an object; where it has one member, that is the root, so that
 * `{"r":{"id":7}}` is `<r id="7"/>`. Throws JSON_NOT_VALID, for a member twice in one object as well.
 */
export const readJsonPayload = (
  text: string,
  { limits, naming }: { readonly limits: Limits; readonly naming: { readonly ignoreAttributeCase: boolean } },
): Element => new Reader(text, limits, naming.ignoreAttributeCase).document()

class Reader {
  readonly #text: string
  readonly #limits: Limits
  readonly #ignoreCase: boolean
  #at = 0
  #nodes = 0

  constructor(text: string, limits: Limits, ignoreCase: boolean) {
    this.#text = text
    this.#limits = limits
    this.#ignoreCase = ignoreCase
  }

  document(): Element {
    const top = this.#element('', undefined)
    this.#blanks()
    const isObject = this.#text[this.#at] === '{'
    if (isObject) this.#object(top, 0)
    else this.#value('', top, 0, false)
    this.#blanks()
    if (this.#at < this.#text.length) throw this.#wrong('something stands after the end')
    const [only] = top.children
    if (!isObject || !only || top.children.length > 1)
      throw new ItemError('ROOT_MISMATCH', 'the document is no object with one member, the record')
    return detached(only)
  }

  #element(name: string, parent: GrowingElement | undefined): GrowingElement {
    if (++this.#nodes > this.#limits.nodes)
      throw new ItemError(
        'XML_TOO_LARGE',
        `the payload has more than ${this.#limits.nodes} members (limits.nodes)`,
        this.#place(),
      )
    return growElement(name, name, new Map(), parent)
  }

  #object(into: GrowingElement, depth: number): void {
    this.#checkDepth(depth)
    this.#at++
    const seen = new Set<string>()
    this.#blanks()
    if (this.#take('}')) return
    do {
      this.#blanks()
      const name = this.#string()
      if (seen.has(name)) throw this.#wrong('a member stands twice in one object')
      seen.add(name)
      this.#blanks()
      if (!this.#take(':')) throw this.#wrong('a colon must stand here')
      this.#value(name, into, depth, true)
      this.#blanks()
    } while (this.#take(','))
    if (!this.#take('}')) throw this.#wrong('a comma or } must stand here')
  }

  #value(name: string, parent: GrowingElement, depth: number, asAttribute: boolean): void {
    this.#blanks()
    const character = this.#text[this.#at]
    if (character === '{') this.#object(this.#element(name, parent), depth + 1)
    else if (character === '[') this.#array(name, parent, depth + 1, asAttribute)
    else {
      const scalar = this.#scalar()
      if (scalar === null) return
      this.#element(name, parent).text = scalar
      if (asAttribute) this.#attribute(this.#ignoreCase ? name.toLowerCase() : name, scalar, parent)
    }
  }

  /** Of several values of one name the mapping must say which counts. */
  #attribute(name: string, value: string, of: GrowingElement): void {
    if (of.attributes.has(name)) of.doubled = new Set([...(of.doubled ?? []), name])
    of.attributes.set(name, value)
  }

  #array(name: string, parent: GrowingElement, depth: number, asAttribute: boolean): void {
    this.#checkDepth(depth)
    this.#at++
    this.#blanks()
    if (this.#take(']')) return
    do this.#value(name, parent, depth, asAttribute)
    while ((this.#blanks(), this.#take(',')))
    if (!this.#take(']')) throw this.#wrong('a comma or ] must stand here')
  }

  #checkDepth(depth: number): void {
    if (depth > this.#limits.depth)
      throw new ItemError(
        'XML_TOO_DEEP',
        `the payload is nested deeper than ${this.#limits.depth} levels (limits.depth)`,
        this.#place(),
      )
  }

  #scalar(): string | null {
    if (this.#text[this.#at] === '"') return this.#string()
    const pattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
    pattern.lastIndex = this.#at
    const token = pattern.exec(this.#text)?.[0]
    if (token === undefined) throw this.#wrong('a value must stand here')
    this.#at += token.length
    return token === 'null' ? null : withoutExponent(token)
  }

  #string(): string {
    const start = this.#at
    if (!this.#take('"')) throw this.#wrong('a text must stand here')
    // In two patterns that never go back: a text may be as long as a payload.
    const plain = /[^"\\\u0000-\u001f]*/y
    const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
    for (;;) {
      plain.lastIndex = this.#at
      plain.test(this.#text)
      this.#at = plain.lastIndex
      if (this.#take('"')) break
      escape.lastIndex = this.#at
      if (!escape.test(this.#text))
        throw this.#wrong('a text is cut, or has a character that must be escaped')
      this.#at = escape.lastIndex
    }
    const value = JSON.parse(this.#text.slice(start, this.#at)) as string
    if (/\p{Surrogate}/u.test(value)) throw this.#wrong('a text holds half of a surrogate pair')
    return value
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #blanks(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++
  }

  #place(): { line: number; column: number } {
    const before = this.#text.slice(0, this.#at)
    return { line: before.split('\n').length, column: this.#at - before.lastIndexOf('\n') }
  }

  #wrong(message: string): ItemError {
    const place = this.#place()
    return new ItemError(
      'JSON_NOT_VALID',
      `the payload is no JSON at line ${place.line}, column ${place.column}: ${message}`,
      place,
    )
  }
}

/** The record without the object around it. */
const detached = (root: GrowingElement): Element => {
  root.parent = undefined
  return root
}

/** `1.5e3` as `1500`: the same number in plain notation, where it stays short. */
const withoutExponent = (token: string): string => {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?[eE]([+-]?\d+)$/.exec(token) ?? []
  if (whole === '') return token
  const shift = Number(exponent)
  if (Math.abs(shift) > 300) return token
  const digits = whole + fraction
  const point = whole.length + shift
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return sign + digits.padEnd(point, '0').replace(/^0+(?=\d)/, '')
  return `${sign}${digits.slice(0, point).replace(/^0+(?=\d)/, '')}.${digits.slice(point)}`
}
