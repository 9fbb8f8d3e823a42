import { suggest } from '../../common/suggest.ts'
import { ExpressionSyntaxError } from '../expression/tokens.ts'
import { parseExpression } from '../expression/parse-expression.ts'
import { isNothing, type At, type Entry, type Node, type Problems } from './document.ts'
import type { Formula } from './model.ts'
import { nameInExpression, parsePath, type Path, type PathNames } from './paths.ts'

/** What every part of a mapping is read with. */
export interface Reading {
  readonly problems: Problems
  readonly names: PathNames
}

/** The known name that was probably meant, as the end of a message. */
export const suggestion = (wrong: string, known: readonly string[]): string => {
  const near = suggest(wrong, known)
  return near === undefined ? '' : `; did you mean ${near}?`
}

/** The fields of one map of the mapping. Reports what is wrong and goes on, so that all problems come at once. */
export class Fields {
  readonly at: At
  readonly #what: string
  readonly #reading: Reading
  readonly #entries: ReadonlyMap<string, Entry>

  /** `what` names the map in messages: `table orders, column total`. */
  constructor(node: Node, what: string, known: readonly string[], reading: Reading) {
    this.at = node.at
    this.#what = what
    this.#reading = reading
    const entries = node.type === 'map' ? node.entries : []
    if (node.type !== 'map') this.wrong('must be a map of names and values', node.at)
    for (const { name, at, value } of entries)
      if (!known.includes(name)) this.wrong(`${name} is no setting here${suggestion(name, known)}`, at)
      else if (isNothing(value)) this.wrong(`${name} has no value; give one or leave it out`, at)
    this.#entries = new Map(entries.map((entry) => [entry.name, entry]))
  }

  wrong(message: string, at: At = this.at): void {
    this.#reading.problems.add(at, `${this.#what}: ${message}`)
  }

  /** What stands under a name; undefined where it is left out or null. */
  node(name: string): Node | undefined {
    const node = this.#entries.get(name)?.value
    return node?.type === 'scalar' && node.value === null ? undefined : node
  }

  has(name: string): boolean {
    return this.#entries.has(name)
  }

  text(name: string): string | undefined {
    const node = this.node(name)
    if (!node) return undefined
    if (node.type === 'scalar') return node.text
    this.wrong(`${name} must be a text`, node.at)
    return undefined
  }

  requiredText(name: string): string {
    const text = this.text(name)
    if (text === undefined && !this.node(name)) this.wrong(`${name} is missing`)
    return text ?? ''
  }

  choice<const T extends string>(name: string, words: readonly T[], fallback: T): T {
    // The word null is a choice where it is one of the words.
    const node = this.#entries.get(name)?.value
    if (!node || (node.type === 'scalar' && node.text === '')) return fallback
    const word = words.find((candidate) => node.type === 'scalar' && candidate === node.text)
    if (word === undefined) this.wrong(`${name} must be ${words.join(', ')}`, node.at)
    return word ?? fallback
  }

  flag(name: string, fallback: boolean): boolean {
    const node = this.node(name)
    if (!node) return fallback
    if (node.type === 'scalar' && typeof node.value === 'boolean') return node.value
    this.wrong(`${name} must be true or false`, node.at)
    return fallback
  }

  integer(name: string, least: number, most: number): number | undefined {
    const node = this.node(name)
    if (!node) return undefined
    if (
      node.type === 'scalar' &&
      typeof node.value === 'number' &&
      Number.isSafeInteger(node.value) &&
      node.value >= least &&
      node.value <= most
    )
      return node.value
    this.wrong(`${name} must be a whole number from ${least} to ${most}`, node.at)
    return undefined
  }

  texts(name: string): readonly string[] {
    const node = this.node(name)
    if (!node) return []
    const items = node.type === 'list' ? node.items : [node]
    return items.flatMap((item) => {
      if (item.type === 'scalar' && !isNothing(item)) return [item.text]
      this.wrong(`${name} must be a list of texts`, item.at)
      return []
    })
  }

  /** Reads a path and reports it where it is none. */
  path(text: string, at: At): Path | undefined {
    return this.#attempt(() => parsePath(text, this.#reading.names), `path "${text}"`, at)
  }

  formula(text: string, at: At): Formula | undefined {
    const expression = this.#attempt(
      () => parseExpression(text, (part) => nameInExpression(part, this.#reading.names)),
      'expression',
      at,
    )
    return expression && { text, expression }
  }

  #attempt<T>(read: () => T, what: string, at: At): T | undefined {
    try {
      return read()
    } catch (error) {
      if (error instanceof ExpressionSyntaxError)
        this.wrong(`${what}, character ${error.at}: ${error.message}`, at)
      else if (error instanceof SyntaxError) this.wrong(`${what}: ${error.message}`, at)
      else throw error
      return undefined
    }
  }
}
