import { isChoice, type Choice, type Mapping, type Origin } from '../mapping/model.ts'
import type { Element } from '../payload/tree.ts'
import type { Cell } from '../values/convert.ts'
import type { Moment } from '../values/dates.ts'
import type { ItemReport } from './item-report.ts'
import type { ListedElements } from './lists.ts'
import type { Names } from './scope.ts'
import { shownPath } from './select.ts'

/** What rows of one payload are made of. */
export interface Material {
  readonly root: Element
  readonly mapping: Mapping
  readonly key: Cell
  readonly now: Moment
  readonly lists: ListedElements
  readonly names: Names
  readonly report: ItemReport
}

/** What one column of a row becomes. */
export interface Mapped {
  readonly cell: Cell
  /** The payload's own: no key, no literal, no default. */
  readonly own: boolean
  readonly isDefault: boolean
}

export const NOTHING: Mapped = { cell: null, own: false, isDefault: false }

export const choiceText = ({ each, value }: Choice): string =>
  `${each.text}/${isChoice(value) ? choiceText(value) : value.text}`

/** The path of a value, where it has one. */
export const pathPlace = (
  origin: Origin,
  context: Element | undefined,
  { listed }: ListedElements,
): { path?: string } => {
  if (origin.type === 'path') return { path: shownPath(origin.path, context, listed) }
  if (origin.type === 'choice') return { path: choiceText(origin.choice) }
  return {}
}
