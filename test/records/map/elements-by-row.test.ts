import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ElementsByRow } from '../../../src/records/map/elements-by-row.ts'
import { type Element, growElement } from '../../../src/records/payload/tree.ts'

/** A tree of elements called a, b or c, as the parent of each and its name. */
const trees = fc
  .array(fc.tuple(fc.nat(), fc.constantFrom('a', 'b', 'c')), { maxLength: 40 })
  .map((nodes): readonly Element[] => {
    const all = [growElement('a', 'a', new Map(), undefined)]
    for (const [parent, name] of nodes) all.push(growElement(name, name, new Map(), all[parent % all.length]))
    return all
  })

const around = (element: Element): Element[] => [element, ...(element.parent ? around(element.parent) : [])]
const pathOf = (element: Element): string =>
  around(element)
    .map(({ name }) => name)
    .join('<')

describe('elements by row', () => {
  it('are those that are not, and do not stand in, another row of the same kind, in their order', () => {
    fc.assert(
      fc.property(trees, fc.nat(), fc.array(fc.nat(), { maxLength: 20 }), (all, at, chosen) => {
        const row = all[at % all.length]!
        const elements = [...new Set(chosen)].map((place) => all[place % all.length]!)
        const isOfOther = (element: Element): boolean =>
          around(element).some((one) => one !== row && pathOf(one) === pathOf(row))
        const byRow = new ElementsByRow(elements)
        const expected = elements.filter((element) => !isOfOther(element))
        expect(byRow.of(row)).toEqual(expected)
        expect(byRow.of(row), 'asked again').toEqual(expected)
        expect(byRow.of(undefined)).toEqual(elements)
      }),
    )
  })

  it('are found for a hundred thousand rows over as many elements', () => {
    const root = growElement('r', 'r', new Map(), undefined)
    const rows = Array.from({ length: 100_000 }, () => growElement('p', 'p', new Map(), root))
    const inside = rows.map((row) => growElement('s', 's', new Map(), row))
    const byRow = new ElementsByRow(inside)
    for (const [place, row] of rows.entries()) expect(byRow.of(row)).toEqual([inside[place]])
  })
})
