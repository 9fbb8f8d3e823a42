import { printable } from '../../common/redact.ts'

/** Rows as CSV (RFC 4180). A cell that a spreadsheet would run as a formula gets a quote in front; one row is one line, and none steers a terminal. */
export const csvOf = (rows: readonly unknown[]): string => {
  const records = rows.map((row) => (isRecord(row) ? row : { value: row }))
  const head = [...new Set(records.flatMap((record) => Object.keys(record)))]
  const lines = [head, ...records.map((record) => head.map((name) => textOf(record[name])))]
  return lines.map((line) => `${line.map(cell).join(',')}\r\n`).join('')
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const textOf = (value: unknown): string => {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const cell = (text: string): string => {
  // A plain negative number is no formula.
  const shown = printable(text)
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(?:\.\d+)?$/.test(text) ? `'${shown}` : shown
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
