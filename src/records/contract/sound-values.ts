import { valueFaults } from '../mapping/check-values.ts'
import type { Column, Note, Table } from '../mapping/model.ts'
import { CONTRACT_DATES } from './contract-columns.ts'

const RULES = { nullWords: new Set<string>(), dateFormats: CONTRACT_DATES }

/**
 * A table of a contract without defaults that cannot be stored: they would fail their item in any case. They, and what else of its fixed
 * values does not fit its column, go to the notes: the contract is the original's, and read as it is.
 */
export const withSoundValues = (table: Table, notes: Note[]): Table => {
  const sound = (column: Column): Column => {
    const faults = valueFaults(column, RULES)
    for (const { setting, message } of faults)
      notes.push({
        at: column.at,
        message: `${table.name}.${column.name}: ${message}${setting === 'default' ? '; it is left out' : ''}`,
      })
    if (!faults.some(({ setting }) => setting === 'default')) return column
    const onUnknown = column.required ? 'fail' : 'null'
    return { ...column, default: undefined, ...(column.onUnknown === 'default' ? { onUnknown } : {}) }
  }
  return { ...table, rows: table.rows.map((rule) => ({ ...rule, columns: rule.columns.map(sound) })) }
}
