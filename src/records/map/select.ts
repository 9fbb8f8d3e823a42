import { childrenNamed, pathOf, type Element } from '../payload/tree.ts'
import type { Take } from '../mapping/model.ts'
import type { Leaf, Path } from '../mapping/paths.ts'

/** The elements at a path, from the root or from the element that is given. */
export const elementsAt = (path: Path, root: Element, from: Element | undefined): readonly Element[] => {
  let [steps, at]: [readonly string[], Element | undefined] = [path.steps, from]
  if (path.absolute) {
    if (steps[0] !== root.name) return []
    ;[steps, at] = [steps.slice(1), root]
  } else for (let up = 0; up < path.up; up++) at = at?.parent
  return at ? below([at], steps) : []
}

/** What stands below elements by these names, one after the other. */
export const below = (elements: readonly Element[], steps: readonly string[]): readonly Element[] =>
  steps.reduce<readonly Element[]>(
    (found, step) =>
      found.length === 1 && found[0]
        ? childrenNamed(found[0], step)
        : found.flatMap((element) => childrenNamed(element, step)),
    elements,
  )

/**
 * The text at the end of a path, as it is; undefined where there is none. An element has its own text; white space alone is none. Of an
 * attribute that is there several times (an array of JSON) the last is kept: `first` takes that of the first element of its name.
 */
export const leafOf = (element: Element, leaf: Leaf, take: Take = 'last'): string | undefined => {
  if (leaf.type !== 'attribute') return element.text
  const first = take === 'first' && element.doubled?.has(leaf.name) === true
  const child = first ? childrenNamed(element, leaf.name)[0] : undefined
  return child?.text ?? element.attributes.get(leaf.name)
}

/** Whether an element has the attribute at the end of a path more than once, because the mapping treats several names as one. */
export const isDoubled = ({ doubled }: Element, { leaf }: Path): boolean =>
  doubled !== undefined && leaf.type === 'attribute' && doubled.has(leaf.name)

/** The path of an element below another, or from the root, as messages name it. */
export const shownPath = (path: Path, from: Element | undefined, listed: ReadonlySet<Element>): string => {
  if (path.absolute) return path.text
  let at = from
  for (let up = 0; up < path.up; up++) at = at?.parent
  const rest = path.text.replace(/^(?:\.\.\/?)+/, '')
  const base = at ? pathOf(at, listed) : ''
  return rest === '' ? base : `${base}/${rest}`
}

/** The same without the attribute or text at its end. */
export const shownElements = (path: Path, from: Element | undefined, listed: ReadonlySet<Element>): string =>
  path.leaf.type === 'element'
    ? shownPath(path, from, listed)
    : shownPath(path, from, listed).replace(/\/[^/]*$/, '')
