import { EvaluationError, type Scope } from '../expression/evaluate.ts'
import type { Mapping } from '../mapping/model.ts'
import { childrenNamed, type Element } from '../payload/tree.ts'
import type { DateFormat, Moment } from '../values/dates.ts'
import { ElementsByRow } from './elements-by-row.ts'
import { trimmed } from '../values/characters.ts'

/** Where an expression stands. */
export interface Standpoint {
  /** The element that the row is made of. */
  readonly row: Element | undefined
  /** The element whose attributes come first, where the row is made of none. */
  readonly base?: Element | undefined
  /** Formats of the dates that it may read, ISO 8601 besides. */
  readonly formats?: readonly DateFormat[]
  /** Called where a name stands for several elements and the mapping takes the last one. */
  readonly repeated?: () => void
}

/** The names of one payload, as expressions read them. */
export class Names {
  readonly #root: Element
  readonly #mapping: Mapping
  readonly #now: Moment
  #byName: ReadonlyMap<string, ElementsByRow> | undefined
  readonly #holders = new Map<string, ElementsByRow>()

  constructor(root: Element, mapping: Mapping, now: Moment) {
    this.#root = root
    this.#mapping = mapping
    this.#now = now
  }

  /** What an expression reads. */
  scope(from: Standpoint): Scope {
    const { formats = [] } = from
    const dateFormats = formats.length > 0 ? formats : this.#mapping.dateFormats
    return { lookUp: (parts) => this.#lookUp(parts, from), now: this.#now, dateFormats }
  }

  /**
   * The row's own element and those around it come first, then the full path, then the one element of that name. Nothing of another row is
   * ever taken.
   */
  #lookUp(parts: readonly string[], from: Standpoint): string | null {
    const attribute = parts.at(-1) ?? ''
    const steps = parts.slice(0, -1)
    if (steps.length === 0) return this.#alone(attribute, from)
    const context = from.row ?? from.base
    for (let at = context; at; at = at.parent)
      if (at.name === steps[0]) return this.#only(down([at], steps.slice(1), context), attribute, parts, from)
    if (steps[0] === this.#root.name) {
      const found = down([this.#root], steps.slice(1), context)
      if (found.length > 0 || steps.length > 1) return this.#only(found, attribute, parts, from)
    }
    const inside = context ? down([context], steps, context) : []
    if (inside.length > 0) return this.#only(inside, attribute, parts, from)
    const anywhere =
      this.#index()
        .get(steps[0] ?? '')
        ?.of(from.row) ?? []
    return this.#only(down(anywhere, steps.slice(1), context), attribute, parts, from)
  }

  /** An attribute without its element: of the row's element, else of the one element that has it and is of no other row. */
  #alone(attribute: string, from: Standpoint): string | null {
    const context = from.row ?? from.base
    if (context && this.#has(context, attribute)) return this.#value(context, attribute)
    const holders = this.#holding(this.#compared(attribute)).of(from.row)
    if (holders.length > 1 && context && !this.#takesLast) return null
    return this.#only(holders, attribute, [attribute], from)
  }

  #only(
    elements: readonly Element[],
    attribute: string,
    parts: readonly string[],
    { repeated }: Standpoint,
  ): string | null {
    const holders =
      elements.length > 1 ? elements.filter((element) => this.#has(element, attribute)) : elements
    if (holders.length > 1) {
      if (!this.#takesLast)
        throw new EvaluationError(`${parts.join('.')} is ambiguous: several elements have it`)
      repeated?.()
    }
    const element = holders.at(-1)
    return element ? this.#value(element, attribute) : null
  }

  get #takesLast(): boolean {
    return this.#mapping.repeatedNames === 'last'
  }

  #compared(attribute: string): string {
    return this.#mapping.naming.ignoreAttributeCase ? attribute.toLowerCase() : attribute
  }

  #has(element: Element, attribute: string): boolean {
    return element.attributes.has(this.#compared(attribute)) || childrenNamed(element, attribute).length > 0
  }

  #value(element: Element, attribute: string): string | null {
    if (element.doubled?.has(this.#compared(attribute)) && !this.#takesLast)
      throw new EvaluationError(`${attribute} is ambiguous: several attributes have the name`)
    const text = element.attributes.get(this.#compared(attribute)) ?? this.#childText(element, attribute)
    const plain = text === undefined ? '' : trimmed(text)
    return plain === '' || this.#mapping.nullWords.has(plain) ? null : plain
  }

  /** The text of the one child of that name. Throws where there are several. */
  #childText(element: Element, name: string): string | undefined {
    const children = childrenNamed(element, name)
    if (children.length > 1 && !this.#takesLast)
      throw new EvaluationError(`${name} is ambiguous: several elements have the name`)
    return children.at(-1)?.text
  }

  /** The elements that have an attribute. */
  #holding(attribute: string): ElementsByRow {
    const known = this.#holders.get(attribute)
    if (known) return known
    const all = [...this.#index().values()].flatMap((elements) => elements.of(undefined))
    const holders = new ElementsByRow(all.filter(({ attributes }) => attributes.has(attribute)))
    this.#holders.set(attribute, holders)
    return holders
  }

  /** All elements, by their names. */
  #index(): ReadonlyMap<string, ElementsByRow> {
    if (this.#byName) return this.#byName
    const index = new Map<string, Element[]>()
    const waiting: Element[] = [this.#root]
    for (let element = waiting.pop(); element; element = waiting.pop()) {
      const group = index.get(element.name)
      if (group) group.push(element)
      else index.set(element.name, [element])
      for (const child of element.children.toReversed()) waiting.push(child)
    }
    return (this.#byName = new Map([...index].map(([name, elements]) => [name, new ElementsByRow(elements)])))
  }
}

/** What stands below elements by these names. Where the way leads through the row's element or one around it, it leads nowhere else. */
const down = (
  elements: readonly Element[],
  steps: readonly string[],
  row: Element | undefined,
): readonly Element[] =>
  steps.reduce<readonly Element[]>((found, step) => {
    const next = found.flatMap((element) => childrenNamed(element, step))
    const own = next.length > 1 ? next.find((element) => isAround(element, row)) : undefined
    return own ? [own] : next
  }, elements)

const isAround = (element: Element, row: Element | undefined): boolean => {
  for (let at = row; at; at = at.parent) if (at === element) return true
  return false
}
