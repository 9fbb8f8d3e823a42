import { JsonObject, type JsonValue } from './json/model.ts'
import type { Described } from './nodes.ts'

/** Where names are bound to values: a table, the prolog, or what follows it. */
export interface Scope {
  /** Whether names may hold dots. */
  readonly dotted: boolean
  /** Throws `ProtectionViolation`. */
  bind(key: string, described: Described): void
}

/** A binding that goes against the protection of another; the parser adds the place. */
export class ProtectionViolation extends Error {}

const STRENGTH: Readonly<Record<string, number>> = { '@protect_ignore': 1, '@protect_error': 2 }

const protectionOf = (node: JsonObject): string | undefined => {
  const protection = node.get('protection')
  return typeof protection === 'string' ? protection : undefined
}

const strengthOf = (node: JsonObject): number => STRENGTH[protectionOf(node) ?? ''] ?? 0

/** Throws `ProtectionViolation` when a protected table or sequence holds something that asks for less protection. */
export const checkNested = (node: JsonObject): void => checkChildren(node, strengthOf(node))

const checkChildren = (node: JsonObject, least: number): void => {
  const children = node.get('children')
  if (!(children instanceof JsonObject)) return
  for (const [name, child] of children.members()) {
    if (!(child instanceof JsonObject)) continue
    const strength = strengthOf(child)
    if (strength !== 0 && strength < least) {
      throw new ProtectionViolation(`${name} is protected less than what it stands in`)
    }
    checkChildren(child, Math.max(least, strength))
  }
}

/** Beyond this many members, positions are kept in a map. */
const FEW = 8

/**
 * A table while it is read: a later value takes the earlier one's position, unless that one is protected
 * (docs/FORMATS.md, FHiCL, repeated names).
 */
export class TableScope implements Scope {
  readonly dotted = false
  readonly #keys: string[] = []
  readonly #values: JsonValue[] = []
  readonly #nodes: JsonObject[] = []
  #positions: Map<string, number> | undefined

  bind(key: string, { value, node }: Described): void {
    const position = this.#positionOf(key)
    const earlier = this.#nodes[position]
    if (earlier === undefined) {
      this.#positions?.set(key, this.#keys.length)
      this.#keys.push(key)
      this.#values.push(value)
      this.#nodes.push(node)
      return
    }
    if (strengthOf(node) > strengthOf(earlier)) {
      throw new ProtectionViolation(`${key} would be protected more than where it was first given`)
    }
    const kept = protectionOf(earlier)
    if (kept === '@protect_error') throw new ProtectionViolation(`${key} is protected`)
    if (kept === '@protect_ignore') return
    this.#values[position] = value
    this.#nodes[position] = node
  }

  /** The table's values, and the nodes of its metadata. Lists that grew have room to spare; these have none. */
  close(): { values: JsonObject; nodes: JsonObject } {
    const keys = this.#keys.slice()
    return {
      values: new JsonObject(keys, this.#values.slice()),
      nodes: new JsonObject(keys, this.#nodes.slice()),
    }
  }

  #positionOf(key: string): number {
    if (this.#keys.length <= FEW) return this.#keys.indexOf(key)
    this.#positions ??= positionsOf(this.#keys)
    return this.#positions.get(key) ?? -1
  }
}

const positionsOf = (keys: readonly string[]): Map<string, number> => {
  const positions = new Map<string, number>()
  for (const [position, key] of keys.entries()) positions.set(key, position)
  return positions
}
