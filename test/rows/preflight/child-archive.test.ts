import { describe, expect, it } from 'vitest'
import { archiveNameOf } from '../../../src/rows/preflight/child-archive.ts'

describe('the archive of a child without one in the configuration', () => {
  it.each([
    ['items', 'orders', 'orders_archive', 'items_archive'],
    ['items', 'orders', 'old_orders', 'old_items'],
    ['items', 'orders', 'kept.orders', 'kept.items'],
    ['items', 'shop.orders', 'kept.orders_2', 'kept.items_2'],
    ['shop.items', 'shop.orders', 'orders_old', 'shop.items_old'],
    ['items', 'orders', 'attic', undefined],
  ])('of %s, where %s goes to %s, is %s', (child, table, archiveTable, expected) => {
    expect(archiveNameOf(child, { table, archiveTable })).toBe(expected)
  })
})
