import { conditionFaults } from '../expression/check-literals.ts'
import { Problems, type Node } from './document.ts'
import { Fields } from './fields.ts'
import type { Column, Need, RowRule, Table } from './model.ts'
import { readColumn } from './read-columns.ts'
import { readEach } from './read-lists.ts'
import type { Known } from './read-origin.ts'

const TABLE = ['table', 'each', 'key', 'shared', 'skip_when_empty', 'columns', 'rows'] as const

/** The tables of a mapping, in the order in which they are inserted. */
export const readTables = (node: Node | undefined, known: Known): Table[] => {
  if (node?.type !== 'list' || node.items.length === 0) {
    known.problems.add(node?.at ?? { line: 1, column: 1 }, 'tables: must be a list of tables')
    return []
  }
  const tables = node.items.map((item) => readTable(item, known))
  const seen = new Set<string>()
  for (const { name, at } of tables) {
    if (seen.has(name))
      known.problems.add(at, `table ${name} stands twice; put its rows under one with rows:`)
    seen.add(name)
  }
  return tables
}

const readTable = (node: Node, known: Known): Table => {
  const name = new Fields(node, 'a table', TABLE, { ...known, problems: new Problems() }).text('table') ?? ''
  const where = name === '' ? 'a table' : `table ${name}`
  const fields = new Fields(node, where, TABLE, known)
  fields.requiredText('table')
  const rows = [...readColumnsForm(fields, where, known), ...readRowsForm(fields, where, known)]
  if (rows.length === 0) fields.wrong('needs columns or rows')
  const key = fields.texts('key')
  if (key.length === 0) fields.wrong('key is missing: the columns that make a row the same row')
  for (const [index, part] of key.entries())
    if (key.indexOf(part) < index) fields.wrong(`key names ${part} twice`, fields.node('key')?.at)
  for (const { columns } of rows)
    for (const part of key)
      if (!columns.some((column) => column.name === part))
        fields.wrong(`key ${part} is no column of it`, fields.node('key')?.at)
  return {
    name,
    key,
    shared: fields.flag('shared', false),
    skipWhenEmpty: fields.flag('skip_when_empty', false),
    each: readEach(fields, 'each', known.lists, known),
    rows,
    at: node.at,
  }
}

const readColumnsForm = (fields: Fields, where: string, known: Known): RowRule[] => {
  const node = fields.node('columns')
  return node ? [{ columns: columnsOf(node, where, known), when: undefined, needs: [] }] : []
}

const readRowsForm = (fields: Fields, where: string, known: Known): RowRule[] => {
  const node = fields.node('rows')
  if (!node) return []
  if (node.type !== 'list') {
    fields.wrong('rows must be a list of { set: ..., when: ... }', node.at)
    return []
  }
  return node.items.map((item, index) => {
    const row = new Fields(item, `${where}, row ${index + 1}`, ['set', 'when', 'needs'], known)
    const set = row.node('set')
    if (!set) row.wrong('set is missing')
    const when = row.text('when')
    const columns = set ? columnsOf(set, `${where}, row ${index + 1}`, known) : []
    const at = row.node('when')?.at ?? row.at
    const formula = when === undefined ? undefined : row.formula(when, at)
    for (const fault of formula ? conditionFaults(formula.expression, known.dateFormats) : [])
      row.wrong(`when: ${fault}`, at)
    return {
      columns,
      when: formula,
      needs: readNeeds(row, columns),
    }
  })
}

/** Columns without which there is no row: `needs: [total, { above_zero: price }]`. */
const readNeeds = (row: Fields, columns: readonly Column[]): Need[] => {
  const node = row.node('needs')
  if (!node) return []
  const items = node.type === 'list' ? node.items : [node]
  return items.flatMap((item) => {
    const [entry] = item.type === 'map' && item.entries.length === 1 ? item.entries : []
    const aboveZero = entry?.name === 'above_zero'
    const named = aboveZero ? entry.value : item
    if (named.type === 'scalar' && columns.some(({ name }) => name === named.text))
      return [{ column: named.text, aboveZero }]
    row.wrong('needs must name columns of the row, or { above_zero: column }', item.at)
    return []
  })
}

const columnsOf = (node: Node, where: string, known: Known): Column[] => {
  if (node.type === 'map') return node.entries.map(({ name, value }) => readColumn(name, value, where, known))
  known.problems.add(node.at, `${where}: must be a map of columns`)
  return []
}
