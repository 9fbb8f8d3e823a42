import type { Element } from '../payload/tree.ts'

interface Placed {
  readonly element: Element
  /** In document order of what was given. */
  readonly place: number
}

/**
 * Some elements of a payload. A row may read those inside itself, and those that are inside no row of its kind; rows
 * are of one kind where they stand at the same path of names. The elements are grouped once for each kind, so that a row does not walk all of them.
 */
export class ElementsByRow {
  readonly #elements: readonly Element[]
  readonly #groups = new Map<string, ReadonlyMap<Element | undefined, readonly Placed[]>>()

  constructor(elements: readonly Element[]) {
    this.#elements = elements
  }

  /** In the order in which they were given; all of them where there is no row. */
  of(row: Element | undefined): readonly Element[] {
    if (!row) return this.#elements
    const groups = this.#groupsAt(pathOf(row))
    const outside = groups.get(undefined) ?? []
    const own = groups.get(row) ?? []
    return [...outside, ...own].sort((a, b) => a.place - b.place).map(({ element }) => element)
  }

  #groupsAt(path: string): ReadonlyMap<Element | undefined, readonly Placed[]> {
    const known = this.#groups.get(path)
    if (known) return known
    const groups = new Map<Element | undefined, Placed[]>()
    for (const [place, element] of this.#elements.entries()) {
      const row = rowAround(element, path)
      const group = groups.get(row)
      if (group) group.push({ element, place })
      else groups.set(row, [{ element, place }])
    }
    this.#groups.set(path, groups)
    return groups
  }
}

/** The element that makes a row at this path and that an element is, or stands in. There is one at most: paths of one length are of one depth. */
const rowAround = (element: Element, path: string): Element | undefined => {
  for (let at: Element | undefined = element; at; at = at.parent) if (pathOf(at) === path) return at
  return undefined
}

const pathOf = (element: Element): string => {
  const known = PATHS.get(element)
  if (known !== undefined) return known
  // No name holds a NUL, in XML nor in what is stored of JSON.
  const path = element.parent ? `${pathOf(element.parent)}\0${element.name}` : element.name
  PATHS.set(element, path)
  return path
}

const PATHS = new WeakMap<Element, string>()
