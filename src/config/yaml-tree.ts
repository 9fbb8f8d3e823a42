import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node as YamlNode,
} from 'yaml'
import { explained, faultsToShow, isHarmless } from './yaml-faults.ts'

/** Line and column, both counted from 1. */
export interface At {
  readonly line: number
  readonly column: number
}

export interface Problem {
  readonly at: At
  /** Begins with the path of the setting, where it concerns one. Never holds a secret. */
  readonly message: string
}

/** YAML as the configuration needs it: scalars are their own source text (`000123` stays `000123`), and each has its place. */
export type Node =
  | { readonly type: 'text'; readonly at: At; readonly text: string }
  | { readonly type: 'none'; readonly at: At }
  | { readonly type: 'list'; readonly at: At; readonly items: readonly Node[] }
  | { readonly type: 'map'; readonly at: At; readonly entries: readonly Entry[] }

export interface Entry {
  readonly name: string
  /** Where the name stands. */
  readonly at: At
  readonly value: Node
}

/** A configuration is a page or two; what is larger is something else. Characters. */
const LARGEST = 1_000_000
/** Open brackets and dashes can be nested by the thousand; the parser would run out of stack. */
const DEEPEST = 100

export const START: At = { line: 1, column: 1 }

export interface Tree {
  readonly root: Node
  readonly problems: readonly Problem[]
  /** Whether the text is YAML at all, so that its settings can be looked at. */
  readonly readable: boolean
}

/** Reads YAML 1.2. Never throws: what is wrong with it stands in `problems`, and no problem quotes a value. */
export const parseTree = (text: string): Tree => {
  const refuse = (message: string): Tree => ({
    root: { type: 'none', at: START },
    problems: [{ at: START, message }],
    readable: false,
  })
  if (text.length > LARGEST) return refuse(`is larger than ${LARGEST / 1e6} MB: this is no configuration`)
  if (nestedTooDeeply(text)) return refuse(`is nested deeper than ${DEEPEST} levels`)
  const lines = new LineCounter()
  const place = (offset: number): At => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const document = parseDocument(text, {
    schema: 'failsafe',
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  })
  const faults = [...document.errors, ...document.warnings]
  const converter = new Converter(document, place)
  const root = converter.node(document.contents)
  const syntax = faultsToShow(faults).map((fault) => ({
    at: place(fault.pos[0]),
    message: explained(fault, wordAt(text, fault.pos[0])),
  }))
  return {
    root,
    problems: [...syntax, ...converter.problems],
    readable: faults.every(isHarmless) && converter.problems.length === 0,
  }
}

const wordAt = (text: string, offset: number): string =>
  /^["']?([\w.-]*)/.exec(text.slice(offset, offset + 60))?.[1] ?? ''

const nestedTooDeeply = (text: string): boolean => {
  if (/^(?: *- ){100}/m.test(text) || /^ {2000}/m.test(text)) return true
  let open = 0
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    open = bracket === '[' || bracket === '{' ? open + 1 : Math.max(0, open - 1)
    if (open > DEEPEST) return true
  }
  return false
}

/** Follows aliases by sharing what they name, so that a few lines cannot become billions of nodes. */
class Converter {
  readonly problems: Problem[] = []
  readonly #document: Document.Parsed
  readonly #place: (offset: number) => At
  readonly #done = new Map<YamlNode, Node>()
  readonly #open = new Set<YamlNode>()

  constructor(document: Document.Parsed, place: (offset: number) => At) {
    this.#document = document
    this.#place = place
  }

  node(node: unknown): Node {
    if (isAlias(node)) return this.#alias(node.resolve(this.#document), this.#at(node))
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) return { type: 'none', at: START }
    const known = this.#done.get(node)
    if (known) return known
    this.#open.add(node)
    const converted = this.#convert(node)
    this.#open.delete(node)
    this.#done.set(node, converted)
    return converted
  }

  #alias(target: YamlNode | undefined, at: At): Node {
    if (target && !this.#open.has(target)) return this.node(target)
    this.problems.push({
      at,
      message: target ? 'this alias (*) stands inside what it names' : 'this alias (*) names nothing',
    })
    return { type: 'none', at }
  }

  #convert(node: YamlNode): Node {
    const at = this.#at(node)
    if (isSeq(node)) return { type: 'list', at, items: node.items.map((item) => this.node(item)) }
    if (isMap(node)) {
      const entries = node.items.map(({ key, value }): Entry => {
        const name = this.node(key)
        return { name: name.type === 'text' ? name.text : '', at: name.at, value: this.node(value) }
      })
      return { type: 'map', at, entries: this.#merged(entries) }
    }
    if (!isScalar(node)) return { type: 'none', at }
    const text = String(node.value)
    const absent = node.type === 'PLAIN' && /^(?:~|null|)$/i.test(text)
    return node.value === null || absent ? { type: 'none', at } : { type: 'text', at, text }
  }

  /** Merge keys of YAML 1.1 (https://yaml.org/type/merge.html): `<<` takes the keys of other sections; a key of the section itself wins. */
  #merged(entries: readonly Entry[]): readonly Entry[] {
    const merges = entries.filter(({ name }) => name === '<<')
    const own = entries.filter(({ name }) => name !== '<<')
    const names = new Set(own.map(({ name }) => name))
    const taken = merges.flatMap(({ at, value }) => {
      const sections = value.type === 'list' ? value.items : [value]
      return sections.flatMap((section) => {
        if (section.type === 'map') return section.entries
        this.problems.push({ at, message: 'a merge key (<<) takes a section or a list of sections' })
        return []
      })
    })
    return [...own, ...taken.filter(({ name }) => !names.has(name) && names.add(name))]
  }

  #at(node: YamlNode): At {
    return node.range ? this.#place(node.range[0]) : START
  }
}
