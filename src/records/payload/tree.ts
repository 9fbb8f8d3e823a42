/** An element of a payload; of a JSON payload, a member. Names are as the mapping compares them. */
export interface Element {
  readonly name: string
  /** As the document writes it, for messages. */
  readonly tag: string
  readonly attributes: ReadonlyMap<string, string>
  /** Attributes that the document has several times under names which the mapping takes for one; the last is kept. */
  readonly doubled: ReadonlySet<string> | undefined
  readonly children: readonly Element[]
  /** Its own character data in document order, CDATA included, that of children left out. */
  readonly text: string
  readonly parent: Element | undefined
  /** Its place among its parent's children of the same name, from 1. */
  readonly index: number
}

/** An element while it is being read. */
export interface GrowingElement extends Element {
  readonly attributes: Map<string, string>
  readonly children: GrowingElement[]
  text: string
  doubled: ReadonlySet<string> | undefined
  parent: GrowingElement | undefined
  /** How many children of each name there are. */
  readonly counts: Map<string, number>
}

/** A new element, put behind its parent's other children. */
export const growElement = (
  name: string,
  tag: string,
  attributes: Map<string, string>,
  parent: GrowingElement | undefined,
): GrowingElement => {
  const index = (parent?.counts.get(name) ?? 0) + 1
  const element: GrowingElement = {
    name,
    tag,
    attributes,
    doubled: undefined,
    children: [],
    text: '',
    parent,
    index,
    counts: new Map(),
  }
  if (parent) {
    parent.counts.set(name, index)
    parent.children.push(element)
  }
  return element
}

/** What a reader may build before it gives up. */
export interface Limits {
  readonly bytes: number
  readonly depth: number
  readonly nodes: number
  readonly attributes: number
}

export const DEFAULT_LIMITS: Limits = {
  bytes: 64 * 1024 ** 2,
  depth: 100,
  nodes: 2_000_000,
  attributes: 1000,
}

const byName = new WeakMap<Element, Map<string, Element[]>>()

/** The children of one name, in order. Only for elements that have been read whole. */
export const childrenNamed = (element: Element, name: string): readonly Element[] => {
  if (element.children.length < 8) return element.children.filter((child) => child.name === name)
  const groups = byName.get(element) ?? groupsOf(element)
  return groups.get(name) ?? []
}

const groupsOf = (element: Element): Map<string, Element[]> => {
  const groups = new Map<string, Element[]>()
  for (const child of element.children) {
    const group = groups.get(child.name)
    if (group) group.push(child)
    else groups.set(child.name, [child])
  }
  byName.set(element, groups)
  return groups
}

/** `/r/p[1]`: an index where the element is one of several, and always where the mapping walks a list of them. */
export const pathOf = (element: Element, listed: ReadonlySet<Element> | undefined): string => {
  const { parent, tag, index } = element
  if (!parent) return `/${tag}`
  const many = listed?.has(element) === true || index > 1 || childrenNamed(parent, element.name).length > 1
  return `${pathOf(parent, listed)}/${tag}${many ? `[${index}]` : ''}`
}
