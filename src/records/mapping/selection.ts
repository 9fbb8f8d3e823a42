import { namesIn } from '../expression/syntax.ts'
import { KEEP_ALL, selectionOf, type Selection } from '../payload/reach.ts'
import {
  isChoice,
  type Choice,
  type Each,
  type Formula,
  type Mapping,
  type Origin,
  type Requirement,
} from './model.ts'
import type { Path } from './paths.ts'

/** The elements that a mapping can reach, so that nothing else of a payload is kept. */
export const mappingSelection = (mapping: Mapping): Selection => {
  const reached = new Reached(mapping)
  return reached.everything ? KEEP_ALL : selectionOf(reached.paths, reached.anywhere)
}

class Reached {
  readonly paths: (readonly string[])[] = []
  readonly anywhere = new Set<string>()
  /** An expression names an attribute alone, which any element may have. */
  everything = false
  readonly #mapping: Mapping

  constructor(mapping: Mapping) {
    this.#mapping = mapping
    this.paths.push([mapping.record.root])
    this.#path(mapping.record.key, undefined)
    for (const path of mapping.required) this.#path(path, undefined)
    for (const { each, require, anyOf, unique } of mapping.lists.values()) {
      const base = this.#base(each, undefined)
      this.paths.push(base)
      for (const path of [...anyOf, ...(unique?.by ?? [])]) this.#path(path, base)
      for (const { path } of [...require, ...(unique?.prefer ? [unique.prefer] : [])]) this.#path(path, base)
    }
    for (const { each, rows } of mapping.tables) {
      const base = each && this.#base(each, undefined)
      if (base) this.paths.push(base)
      for (const { columns, when } of rows) {
        if (when) this.#formula(when)
        for (const { origin, fallback } of columns) {
          this.#origin(origin, base)
          if (fallback) this.#origin(fallback.origin, base)
        }
      }
    }
  }

  #origin(origin: Origin, base: readonly string[] | undefined): void {
    if (origin.type === 'path') this.#path(origin.path, base)
    else if (origin.type === 'expression') {
      this.#formula(origin.formula, origin.base)
      if (origin.base) this.#path(origin.base, undefined)
    } else if (origin.type === 'choice') {
      this.#choice(origin.choice, base)
    }
  }

  #choice({ each, where, prefer, value }: Choice, base: readonly string[] | undefined): void {
    const at = this.#base(each, base)
    this.paths.push(at)
    if (isChoice(value)) this.#choice(value, at)
    else this.#path(value, at)
    for (const { path } of [...where, ...(prefer ? [prefer] : [])] satisfies Requirement[])
      this.#path(path, at)
  }

  #base(each: Each, from: readonly string[] | undefined): readonly string[] {
    if (each.type === 'path') return this.#steps(each.path, from)
    const list = this.#mapping.lists.get(each.list)
    return list ? [...this.#base(list.each, undefined), ...each.below] : []
  }

  #steps(path: Path, from: readonly string[] | undefined): readonly string[] {
    if (path.absolute) return path.steps
    const base = from ?? []
    return [...base.slice(0, base.length - path.up), ...path.steps]
  }

  #path(path: Path, from: readonly string[] | undefined): void {
    this.paths.push(this.#steps(path, from))
  }

  /** A full name is a path; any other name is kept wherever it stands, and what it may name as an element as well. */
  #formula({ expression }: Formula, base?: Path): void {
    for (const parts of namesIn(expression)) {
      if (parts.length === 1 && !base) this.everything = true
      if (parts.length > 1 && parts[0] === this.#mapping.record.root) this.paths.push(parts)
      if (parts.length > 1 && !(parts.length > 2 && parts[0] === this.#mapping.record.root))
        for (const part of parts) if (part !== this.#mapping.record.root) this.anywhere.add(part)
    }
  }
}
