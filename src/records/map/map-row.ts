import { EvaluationError, evaluate, truth } from '../expression/evaluate.ts'
import type { Column, Formula, Need, RowRule, Table } from '../mapping/model.ts'
import type { Element } from '../payload/tree.ts'
import type { Cell } from '../values/convert.ts'
import { ColumnMapper } from './map-column.ts'
import { NOTHING, pathPlace, type Material } from './material.ts'

/** A row by column, in the mapping's order. What is null is left out of it. */
export type Row = ReadonlyMap<string, Cell>

/** Makes one row, or none where the mapping's conditions leave it out. Reports what is wrong with it and gives none then. */
export const mapRow = (
  table: Table,
  rule: RowRule,
  context: Element | undefined,
  material: Material,
): Row | undefined => {
  if (rule.when && !holds(rule.when, table, context, material)) return undefined
  const mapped = rule.columns.map((column) => new ColumnMapper(table, column, context, material).map())
  const meets = ({ column: name, aboveZero }: Need): boolean =>
    mapped.some(
      ({ own, cell }, index) => own && rule.columns[index]?.name === name && (!aboveZero || Number(cell) > 0),
    )
  if (rule.needs.length > 0 && !rule.needs.some(meets)) return undefined
  const content = rule.columns.filter(
    (column, index) => mapped[index]?.own === true && !table.key.includes(column.name),
  )
  if (table.skipWhenEmpty && content.length === 0) return undefined
  const row = new Map<string, Cell>()
  rule.columns.forEach((column, index) => {
    const { cell, isDefault } = mapped[index] ?? NOTHING
    if (cell !== null && !(isDefault && column.aside && content.length < 2)) row.set(column.name, cell)
    else if (cell === null) missing(table, column, context, material)
  })
  return row
}

const holds = (
  { expression }: Formula,
  table: Table,
  context: Element | undefined,
  { names, report }: Material,
): boolean => {
  try {
    return truth(evaluate(expression, names.scope({ row: context })))
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error
    report.fail('EXPRESSION', `${table.name}, when: ${error.message}`, { table: table.name })
    return false
  }
}

const missing = (
  table: Table,
  column: Column,
  context: Element | undefined,
  { report, lists }: Material,
): void => {
  if (!column.required && !table.key.includes(column.name)) return
  report.fail('REQUIRED_MISSING', `${table.name}.${column.name} has no value and needs one`, {
    table: table.name,
    column: column.name,
    ...pathPlace(column.origin, context, lists),
  })
}
