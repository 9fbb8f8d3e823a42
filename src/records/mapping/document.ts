import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, Scalar, type Document } from 'yaml'

/** Line and column, both from 1. */
export interface At {
  readonly line: number
  readonly column: number
}

/** YAML (JSON as well) with the place of every value. */
export type Node =
  | {
      readonly type: 'scalar'
      readonly at: At
      readonly value: string | number | boolean | null
      readonly text: string
    }
  | { readonly type: 'list'; readonly at: At; readonly items: readonly Node[] }
  | { readonly type: 'map'; readonly at: At; readonly entries: readonly Entry[] }

/** Whether nothing stands where a value should: `key:`. A `null` that is written is a value. */
export const isNothing = (node: Node): boolean =>
  node.type === 'scalar' && node.value === null && node.text === ''

export interface Entry {
  readonly name: string
  readonly at: At
  readonly value: Node
}

export interface Problem {
  readonly at: At
  readonly message: string
}

/** Collects everything that is wrong with a mapping, so that it is reported at once. */
export class Problems {
  readonly found: Problem[] = []

  add(at: At, message: string): void {
    this.found.push({ at, message })
  }
}

const START: At = { line: 1, column: 1 }
const LARGEST = 20_000_000
const DEEPEST = 60

/** Reads the text of a mapping. What is wrong with it goes to the problems; then there may be no node. */
export const readDocument = (text: string, problems: Problems): Node | undefined => {
  if (text.length > LARGEST) {
    problems.add(START, `the file is larger than ${LARGEST / 1e6} MB`)
    return undefined
  }
  const lines = new LineCounter()
  const place = (offset: number): At => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
    // `01` and `1` are two codes.
    uniqueKeys: (a, b) => a === b || (isScalar(a) && isScalar(b) && sourceOf(a) === sourceOf(b)),
  })
  for (const { message, pos } of [...document.errors, ...document.warnings])
    problems.add(place(pos[0]), `not YAML: ${message.split('\n')[0] ?? ''}`)
  if (problems.found.length > 0) return undefined
  if (document.contents === null) problems.add(START, 'the file is empty')
  return new Converter(document, place, problems).node(document.contents, 0)
}

class Converter {
  readonly #document: Document.Parsed
  readonly #place: (offset: number) => At
  readonly #problems: Problems
  #budget = 1_000_000

  constructor(document: Document.Parsed, place: (offset: number) => At, problems: Problems) {
    this.#document = document
    this.#place = place
    this.#problems = problems
  }

  node(value: unknown, depth: number): Node | undefined {
    const at = this.#at(value)
    if (--this.#budget < 0 || depth > DEEPEST) {
      this.#problems.add(
        at,
        this.#budget < 0 ? 'the file has too many values' : `nested deeper than ${DEEPEST} levels`,
      )
      return undefined
    }
    if (isAlias(value)) {
      const anchored = value.resolve(this.#document)
      if (!anchored) this.#problems.add(at, `no anchor &${value.source} stands before *${value.source}`)
      return anchored && this.node(anchored, depth + 1)
    }
    if (isSeq(value))
      return { type: 'list', at, items: value.items.flatMap((item) => this.node(item, depth + 1) ?? []) }
    if (isMap(value)) {
      const entries = value.items.flatMap((pair) => {
        const name = isScalar(pair.key) ? sourceOf(pair.key) : undefined
        if (name === undefined) this.#problems.add(this.#at(pair.key), 'a name must be a text')
        const of = this.node(pair.value, depth + 1) ?? { type: 'scalar', at, value: null, text: '' }
        return name === undefined ? [] : [{ name, at: this.#at(pair.key), value: of }]
      })
      return { type: 'map', at, entries }
    }
    if (!isScalar(value)) return undefined
    return { type: 'scalar', at, value: scalarOf(value), text: sourceOf(value) }
  }

  #at(value: unknown): At {
    const range =
      typeof value === 'object' && value !== null && 'range' in value
        ? (value.range as number[] | undefined)
        : undefined
    return range?.[0] === undefined ? START : this.#place(range[0])
  }
}

const scalarOf = (scalar: Scalar): string | number | boolean | null => {
  const { value } = scalar
  // A number that is not exact keeps its digits.
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return sourceOf(scalar)
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? value : sourceOf(scalar)
}

/** The characters that stand in the file: `0123` stays `0123`. */
const sourceOf = ({ value, source }: Scalar): string => {
  if (typeof value === 'string') return value
  if (source !== undefined) return source
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}
