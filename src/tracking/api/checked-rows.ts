import { printable, type Redact } from '../../common/redact.ts'
import { ArchiverError } from '../../errors.ts'
import { EXECUTION_WORDS, isWord, SUBTASK_WORDS } from '../client/operation-fields.ts'
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
/** NUMERIC(8,2) takes it. */
const MOST_PERCENT = 999_999.99
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
      if (typeof value === 'number' && Math.abs(value) <= MOST_PERCENT) return value
      throw new RangeError(`"${column}" must be a number up to ${MOST_PERCENT}`)
    case 'uuid':
      if (typeof value === 'string' && isUuid(value)) return value.toLowerCase()
      throw new RangeError(`"${column}" must be a UUID`)
    case 'time':
      if (typeof value === 'string' && TIME.test(value) && isMoment(value.slice(0, 19)))
        return value.slice(0, 23).replace('T', ' ').replace('Z', '')
      throw new RangeError(`"${column}" must be a time such as 2026-11-28 05:30:00.000, in UTC`)
    case 'json':
      return jsonOf(column, value, redact)
    case 'word':
      checkWord(column, value)
      return textOf(column, type, value, redact)
    case 'name':
    case 'path':
    case 'text':
      return textOf(column, type, value, redact)
  }
}

/** Columns whose words the tables check. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  execution_status: EXECUTION_WORDS,
  subtask_status: SUBTASK_WORDS,
}

const checkWord = (column: string, value: unknown): void => {
  const words = WORDS[column]
  if (words && !isWord(words, value)) throw new RangeError(`"${column}" must be one of ${words.join(', ')}`)
}

/** Whether there is such a day and time: the calendar of JavaScript turns 30 February into 2 March, a database refuses it. */
const isMoment = (text: string): boolean => {
  const at = Date.parse(`${text.replace(' ', 'T')}Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text.replace(' ', 'T'))
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
