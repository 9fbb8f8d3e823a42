import { counted } from '../../common/counted.ts'
import { ItemError } from '../item-error.ts'
import type { Each, List, Mapping, Requirement, Unique } from '../mapping/model.ts'
import { pathOf, type Element } from '../payload/tree.ts'
import type { ItemReport } from './item-report.ts'
import { trimmed } from '../values/characters.ts'
import { below, elementsAt, leafOf } from './select.ts'

/** The elements of a mapping's lists in one payload: filtered once, and the same everywhere. */
export class ListedElements {
  /** Every element that a list walks, kept or not: their paths carry an index. */
  readonly listed = new Set<Element>()
  readonly #kept = new Map<string, readonly Element[]>()
  readonly #root: Element
  readonly #mapping: Mapping
  readonly #report: ItemReport

  /** Throws an ItemError of stage `validate`. */
  constructor(root: Element, mapping: Mapping, report: ItemReport) {
    this.#root = root
    this.#mapping = mapping
    this.#report = report
    for (const list of mapping.lists.values()) this.#kept.set(list.name, this.#keep(list))
  }

  /** The elements that rows are made of, or that a value is chosen from. */
  elements(each: Each, from?: Element): readonly Element[] {
    const found =
      each.type === 'list'
        ? below(this.#kept.get(each.list) ?? [], each.below)
        : elementsAt(each.path, this.#root, from)
    for (const element of found) this.listed.add(element)
    return found
  }

  /** The value at a path of an element, trimmed; undefined for nothing. The first one where there are several. */
  value(
    element: Element,
    { path, ignoreCase }: { path: Requirement['path']; ignoreCase: boolean },
  ): string | undefined {
    const [target] = elementsAt(path, this.#root, element)
    const text = target && leafOf(target, path.leaf)
    if (text === undefined) return undefined
    const plain = trimmed(text)
    if (plain === '' || this.#mapping.nullWords.has(plain)) return undefined
    return ignoreCase ? plain.toLowerCase() : plain
  }

  /** Whether an element meets a condition. */
  meets(element: Element, { path, values }: Requirement, ignoreCase: boolean): boolean {
    const value = this.value(element, { path, ignoreCase })
    if (value === undefined) return false
    return values === 'present' || values.some((one) => (ignoreCase ? one.toLowerCase() : one) === value)
  }

  #keep(list: List): readonly Element[] {
    const { name, min, max, otherwise } = list
    const found = this.elements(list.each)
    const wanted = found.filter((element) => {
      const reason = this.#rejection(element, list)
      if (reason === undefined) return true
      const path = pathOf(element, this.listed)
      if (otherwise === 'fail')
        throw new ItemError('ELEMENT_REJECTED', `an element of list ${name} is refused by ${reason}`, {
          list: name,
          path,
          reason,
        })
      this.#report.warn({ code: 'ELEMENT_SKIPPED', list: name, path, reason })
      return false
    })
    const kept = list.unique ? this.#unique(wanted, list, list.unique) : wanted
    if (kept.length < min)
      throw new ItemError(
        'REQUIRED_ELEMENT',
        `list ${name} has ${counted(kept.length, 'element')} and needs ${min}`,
        {
          list: name,
        },
      )
    if (kept.length > max)
      throw new ItemError(
        'ELEMENT_REJECTED',
        `list ${name} has ${counted(kept.length, 'element')} and takes ${max}`,
        {
          list: name,
        },
      )
    return kept
  }

  /** The condition that an element does not meet. */
  #rejection(element: Element, { require, anyOf, ignoreCase }: List): string | undefined {
    const failed = require.find((requirement) => !this.meets(element, requirement, ignoreCase))
    if (failed) return failed.path.text
    const has = (path: Requirement['path']): boolean =>
      this.value(element, { path, ignoreCase }) !== undefined
    return anyOf.length === 0 || anyOf.some(has) ? undefined : 'any_of'
  }

  #unique(elements: readonly Element[], { name, ignoreCase }: List, unique: Unique): readonly Element[] {
    const groups = new Map<string, Element[]>()
    for (const element of elements) {
      const identity = unique.by.map((path) => this.value(element, { path, ignoreCase }))
      const key = identity.includes(undefined) ? `#${groups.size}` : JSON.stringify(identity)
      const group = groups.get(key)
      if (group) group.push(element)
      else groups.set(key, [element])
    }
    const losers = new Set<Element>()
    for (const group of groups.values()) {
      if (group.length < 2) continue
      const winner = this.preferred(group, unique.prefer, ignoreCase).at(unique.then === 'last' ? -1 : 0)
      for (const element of group) {
        if (element === winner) continue
        const path = pathOf(element, this.listed)
        if (unique.then === 'fail')
          throw new ItemError('DUPLICATE_ELEMENT', `list ${name} has two elements with one identity`, {
            list: name,
            path,
          })
        this.#report.warn({ code: 'DUPLICATE_ELEMENT', list: name, path })
        losers.add(element)
      }
    }
    return losers.size === 0 ? elements : elements.filter((element) => !losers.has(element))
  }

  /** Those with the first of the preferred values that occurs; all of them where none does. */
  preferred(
    elements: readonly Element[],
    prefer: Requirement | undefined,
    ignoreCase: boolean,
  ): readonly Element[] {
    if (!prefer || prefer.values === 'present') return elements
    for (const value of prefer.values) {
      const found = elements.filter((element) =>
        this.meets(element, { path: prefer.path, values: [value] }, ignoreCase),
      )
      if (found.length > 0) return found
    }
    return elements
  }
}
