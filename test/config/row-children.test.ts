import { describe, expect, it } from 'vitest'
import { parse, problemsOf, withSection } from './given.ts'

describe('rows.children', () => {
  const childrenOf = (...lines: string[]) => parse(withSection('rows', ...lines)).rows.children

  it('is a list of tables, each with children of its own', () => {
    expect(
      childrenOf(
        'children:',
        '  - table: items',
        '    key: order_id',
        '    children: [{ table: notes, key: [order_id, item], archive_table: old_notes }]',
      ),
    ).toEqual([
      {
        table: 'items',
        key: ['order_id'],
        archiveTable: undefined,
        children: [{ table: 'notes', key: ['order_id', 'item'], archiveTable: 'old_notes', children: [] }],
      },
    ])
  })

  it('is empty where nothing is said, and JSON where the file has no lists', () => {
    expect(childrenOf('table: r')).toEqual([])
    expect(childrenOf('children: ')).toEqual([])
    expect(childrenOf(`children: '[{"table": "items", "key": "order_id"}]'`)).toMatchObject([
      { table: 'items', key: ['order_id'] },
    ])
  })

  it.each([
    [`children: items`, 'must be a list of child tables'],
    [`children: { table: items }`, 'must be a list of child tables'],
    [`children: [items]`, '[0] must have table and key'],
    [`children: [{ key: a }]`, '[0].table must be the child table'],
    [`children: [{ table: items }]`, "[0].key must be the child's column"],
    [`children: [{ table: items, key: [] }]`, "[0].key must be the child's column"],
    [`children: [{ table: items, key: a, archive: b }]`, 'and nothing else'],
    [
      `children: [{ table: items, key: a, children: [{ table: b }] }]`,
      '[0].children[0].key must be the child',
    ],
  ])('refuses %s', (line, says) => {
    expect(problemsOf(withSection('rows', line)).join('\n')).toContain(says)
  })
})
