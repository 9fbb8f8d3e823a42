import { parse } from 'csv-parse/sync'

/** How rows stand in an archive file. */
export const FORMATS = ['jsonl', 'csv'] as const
export type Format = (typeof FORMATS)[number]

/** The format that a file's name ends with. */
export const formatOf = (name: string): Format => (name.endsWith('.csv') ? 'csv' : 'jsonl')

/** A row as it stands in an archive file: every value a text, or NULL. */
export type Line = Readonly<Record<string, string | null>>

/** Rows as the content of an archive file. JSON lines, or CSV (RFC 4180) in which NULL is an empty cell without quotes. */
export const linesOf = (format: Format, columns: readonly string[], rows: readonly Line[]): Buffer => {
  const cells = (row: Line): readonly (string | null)[] => columns.map((name) => row[name] ?? null)
  const lines =
    format === 'jsonl'
      ? rows.map(
          (row) =>
            `{${cells(row)
              .map((value, at) => member(columns[at] ?? '', value))
              .join(',')}}`,
        )
      : [columns, ...rows.map(cells)].map((values) => values.map(cell).join(','))
  return Buffer.from(`${lines.join('\n')}\n`)
}

/** A row's member; not by way of an object, which would put columns with numbers for names first. */
const member = (name: string, value: string | null): string =>
  `${JSON.stringify(name)}:${JSON.stringify(value)}`

const cell = (value: string | null): string => (value === null ? '' : `"${value.replaceAll('"', '""')}"`)

/** The rows of an archive file, each with the columns that it has. Throws SyntaxError where it is none. */
export const rowsOf = (format: Format, content: Buffer): readonly Line[] => {
  const text = content.toString('utf8')
  if (format === 'jsonl')
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map(rowOf)
  const [names = [], ...rows] = parse(text, {
    cast: (value, { quoting }) => (quoting || value !== '' ? value : null),
    relax_column_count: false,
    record_delimiter: '\n',
    skip_empty_lines: false,
  }) as (string | null)[][]
  return rows.map((values) => Object.fromEntries(names.map((name, at) => [name ?? '', values[at] ?? null])))
}

const rowOf = (line: string): Line => {
  const value: unknown = JSON.parse(line)
  const isRow =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((one) => one === null || typeof one === 'string')
  if (!isRow) throw new SyntaxError(`no row of an archive file: ${line.slice(0, 80)}`)
  return value as Line
}
