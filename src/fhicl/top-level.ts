import { JsonObject, type JsonValue } from './json/model.ts'
import type { Described } from './nodes.ts'
import type { Scope } from './table-scope.ts'

/** What stands outside any table: equal names stay beside one another, and protection does not hold. */
class TopScope implements Scope {
  readonly dotted = true
  readonly keys: string[] = []
  readonly #values: JsonValue[] = []
  readonly #nodes: JsonObject[] = []

  bind(key: string, { value, node }: Described): void {
    this.keys.push(key)
    this.#values.push(value)
    this.#nodes.push(node)
  }

  values(): JsonObject {
    return new JsonObject(this.keys, this.#values)
  }

  nodes(): JsonObject {
    return new JsonObject(this.keys, this.#nodes)
  }

  /** Without the parameters at the positions. */
  without(positions: ReadonlySet<number>): TopScope {
    const left = new TopScope()
    for (const [position, key] of this.keys.entries()) {
      const value = this.#values[position]
      const node = this.#nodes[position]
      if (value !== undefined && node !== undefined && !positions.has(position))
        left.bind(key, { value, node })
    }
    return left
  }
}

/** The prolog and what follows it. A name that comes again after the prolog drops one of the prolog's, the first first. */
export class TopLevel {
  readonly prolog = new TopScope()
  readonly main = new TopScope()

  /** What is left of the prolog. */
  keptProlog(): TopScope {
    if (this.prolog.keys.length === 0) return this.prolog
    const again = new Map<string, number>()
    for (const key of this.main.keys) again.set(key, (again.get(key) ?? 0) + 1)
    const dropped = new Set<number>()
    for (const [position, key] of this.prolog.keys.entries()) {
      const times = again.get(key) ?? 0
      if (times === 0) continue
      again.set(key, times - 1)
      dropped.add(position)
    }
    return dropped.size === 0 ? this.prolog : this.prolog.without(dropped)
  }
}
