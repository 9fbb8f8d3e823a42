import type { Scope } from '../expression/evaluate.ts'
import { EvaluationError } from '../expression/evaluate.ts'
import type { Mapping } from '../mapping/model.ts'
import type { Element } from '../payload/tree.ts'
import type { DateFormat, Moment } from '../values/dates.ts'
import { below, trimmed } from './select.ts'

/** The names of one payload, as expressions read them. */
export class Names {
  readonly #root: Element
  readonly #mapping: Mapping
  readonly #now: Moment
  #byName: Map<string, Element[]> | undefined

  constructor(root: Element, mapping: Mapping, now: Moment) {
    this.#root = root
    this.#mapping = mapping
    this.#now = now
  }

  /** What an expression of a row reads, where the row is made of `context`. `formats`: of the dates that it may read, ISO 8601 besides. */
  scope(context: Element | undefined, formats: readonly DateFormat[] = []): Scope {
    const dateFormats = formats.length > 0 ? formats : this.#mapping.dateFormats
    return { lookUp: (parts) => this.#lookUp(parts, context), now: this.#now, dateFormats }
  }

  /** The row's own element and those around it come first, then the full path, then the one element of that name. */
  #lookUp(parts: readonly string[], context: Element | undefined): string | null {
    const attribute = parts.at(-1) ?? ''
    const steps = parts.slice(0, -1)
    if (steps.length === 0) return this.#alone(attribute, context)
    for (let at = context; at; at = at.parent)
      if (at.name === steps[0]) return this.#only(below([at], steps.slice(1)), attribute, parts)
    if (steps[0] === this.#root.name) {
      const found = below([this.#root], steps.slice(1))
      if (found.length > 0 || steps.length > 1) return this.#only(found, attribute, parts)
    }
    const inside = context ? below([context], steps) : []
    if (inside.length > 0) return this.#only(inside, attribute, parts)
    return this.#only(below(this.#named(steps[0] ?? ''), steps.slice(1)), attribute, parts)
  }

  /** An attribute without its element: of the row's element, else of the one element that has it. */
  #alone(attribute: string, context: Element | undefined): string | null {
    if (context && this.#has(context, attribute)) return this.#value(context, attribute)
    const holders: Element[] = []
    for (const elements of this.#index().values())
      for (const element of elements)
        if (element.attributes.has(this.#compared(attribute))) holders.push(element)
    if (holders.length > 1 && context) return null
    return this.#only(holders, attribute, [attribute])
  }

  #only(elements: readonly Element[], attribute: string, parts: readonly string[]): string | null {
    const holders =
      elements.length > 1 ? elements.filter((element) => this.#has(element, attribute)) : elements
    if (elements.length > 1 && holders.length !== 1)
      if (holders.length > 1)
        throw new EvaluationError(`${parts.join('.')} is ambiguous: several elements have it`)
    const [element] = holders
    return element ? this.#value(element, attribute) : null
  }

  #compared(attribute: string): string {
    return this.#mapping.naming.ignoreAttributeCase ? attribute.toLowerCase() : attribute
  }

  #has(element: Element, attribute: string): boolean {
    return (
      element.attributes.has(this.#compared(attribute)) ||
      element.children.some((child) => child.name === attribute)
    )
  }

  #value(element: Element, attribute: string): string | null {
    if (element.doubled?.has(this.#compared(attribute)) && !this.#mapping.naming.ignoreAttributeCase)
      throw new EvaluationError(`${attribute} is ambiguous: several attributes have the name`)
    const text = element.attributes.get(this.#compared(attribute)) ?? below([element], [attribute])[0]?.text
    const plain = text === undefined ? '' : trimmed(text)
    return plain === '' || this.#mapping.nullWords.has(plain) ? null : plain
  }

  #named(name: string): readonly Element[] {
    return this.#index().get(name) ?? []
  }

  #index(): Map<string, Element[]> {
    if (this.#byName) return this.#byName
    const index = new Map<string, Element[]>()
    const waiting: Element[] = [this.#root]
    for (let element = waiting.pop(); element; element = waiting.pop()) {
      const group = index.get(element.name)
      if (group) group.push(element)
      else index.set(element.name, [element])
      waiting.push(...element.children.toReversed())
    }
    return (this.#byName = index)
  }
}
