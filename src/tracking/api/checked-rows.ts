import { printable, type Redact } from '../../common/redact.ts'
import { ArchiverError } from '../../errors.ts'
import { isUuid } from '../client/tracked-rows.ts'
import type { Cell, Row } from '../ledger/row.ts'
import { TABLES, type ColumnType, type Table, type TableName } from '../ledger/tables.ts'

/** What a program may write: its own executions, their steps, what it measures, and what happened. */
const OPEN_TO_CLIENTS = ['executions', 'subtasks', 'process_metrics', 'events'] as const

const MOST_ROWS = 1000
const LONGEST: Readonly<Partial<Record<ColumnType, number>>> = {
  word: 50,
  name: 255,
  path: 4000,
  text: 16_000,
}
const TIME = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|\+00(?::?00)?)?$/

export interface CheckedRows {
  readonly rows: readonly { readonly at: number; readonly row: Row }[]
  readonly refused: readonly { readonly row: number; readonly why: string }[]
}

/** Rows of the spool's form, `{"rows":[{"t":"executions","c":{...}}]}`. Throws USAGE where the whole cannot be read. */
export const checkedRows = (value: unknown, redact: Redact): CheckedRows => {
  const list: unknown = isObject(value) ? value['rows'] : undefined
  if (!Array.isArray(list)) throw new ArchiverError('USAGE', 'the body must be {"rows": [...]}')
  if (list.length > MOST_ROWS) throw new ArchiverError('USAGE', `at most ${MOST_ROWS} rows at once`)
  const rows: { at: number; row: Row }[] = []
  const refused: { row: number; why: string }[] = []
  list.forEach((given: unknown, at) => {
    try {
      rows.push({ at, row: rowOf(given, redact) })
    } catch (error) {
      refused.push({ row: at, why: error instanceof Error ? error.message : String(error) })
    }
  })
  return { rows, refused }
}

const rowOf = (value: unknown, redact: Redact): Row => {
  const { t: name, c: cells } = isObject(value) ? value : {}
  const table = OPEN_TO_CLIENTS.find((known) => known === name)
  if (!table || !isObject(cells))
    throw new RangeError(`"t" must be one of ${OPEN_TO_CLIENTS.join(', ')}, "c" an object`)
  const { columns, needed, defaults = {} }: Table = TABLES[table satisfies TableName]
  // A column that a newer client knows is left out, as when it comes from a spool.
  const known = Object.entries(cells).filter(
    ([column]) => Object.hasOwn(columns, column) && columns[column] !== 'id',
  )
  const checked = Object.fromEntries(
    known.map(([column, cell]) => [column, cellOf(column, columns[column] ?? 'text', cell, redact)]),
  )
  const missing = needed.find((column) => checked[column] == null && !(column in defaults))
  if (missing !== undefined) throw new RangeError(`"${missing}" is missing`)
  return { table, cells: checked, transient: table === 'process_metrics' }
}

const cellOf = (column: string, type: ColumnType, value: unknown, redact: Redact): Cell => {
  if (value === null || value === undefined) return null
  switch (type) {
    case 'id':
    case 'int':
    case 'big':
      if (Number.isSafeInteger(value) && Math.abs(Number(value)) < (type === 'int' ? 2 ** 31 : 2 ** 53))
        return Number(value)
      throw new RangeError(`"${column}" must be a whole number`)
    case 'percent':
    case 'real':
      if (typeof value === 'number' && Math.abs(value) < 1e6) return value
      throw new RangeError(`"${column}" must be a number`)
    case 'uuid':
      if (typeof value === 'string' && isUuid(value)) return value.toLowerCase()
      throw new RangeError(`"${column}" must be a UUID`)
    case 'time':
      if (
        typeof value === 'string' &&
        TIME.test(value) &&
        !Number.isNaN(Date.parse(`${value.slice(0, 10)}T00:00Z`))
      )
        return value.slice(0, 23).replace('T', ' ').replace('Z', '')
      throw new RangeError(`"${column}" must be a time such as 2026-11-28 05:30:00.000, in UTC`)
    case 'json':
      return jsonOf(column, value, redact)
    case 'word':
    case 'name':
    case 'path':
    case 'text':
      return textOf(column, type, value, redact)
  }
}

const textOf = (column: string, type: ColumnType, value: unknown, redact: Redact): string => {
  if (typeof value !== 'string') throw new RangeError(`"${column}" must be a text`)
  const clean = value.split('\n').map((line) => printable(redact(line)))
  return clean.join(type === 'text' ? '\n' : ' ').slice(0, LONGEST[type])
}

const jsonOf = (column: string, value: unknown, redact: Redact): string => {
  if (typeof value !== 'string' || value.length > 16_000)
    throw new RangeError(`"${column}" must be JSON as a text`)
  try {
    JSON.parse(value)
  } catch {
    throw new RangeError(`"${column}" is not JSON`)
  }
  // Masked inside of its texts, so that it stays JSON.
  return JSON.stringify(
    JSON.parse(value, (_, inner: unknown) => (typeof inner === 'string' ? redact(inner) : inner)),
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
