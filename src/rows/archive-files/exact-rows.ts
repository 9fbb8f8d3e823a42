import { ArchiverError } from '../../errors.ts'
import type { Dialect, RowTexts } from '../dialects/dialect.ts'
import { differingColumns } from '../row-texts.ts'
import { fullNameOf, type Key, type Pair } from '../table.ts'
import { linesOf, rowsOf, type Format, type Line } from './row-lines.ts'

/** Live rows, as they were read, as the content of an archive file. */
export const contentOf = (
  format: Format,
  dialect: Dialect,
  { columns }: Pair,
  rows: readonly RowTexts[],
): Buffer =>
  linesOf(
    format,
    columns.map(({ source }) => source.name),
    rows.map((row) =>
      Object.fromEntries(
        columns.map(({ source }) => [source.name, dialect.readable(source, row[source.name] ?? null)]),
      ),
    ),
  )

/** A row of an archive file, with its key. */
export interface ArchivedRow {
  readonly key: Key
  readonly texts: RowTexts
}

/** The rows of an archive file, as exact texts. Throws VERIFY_MISMATCH where it has not exactly the columns of the table. */
export const archivedRows = (
  format: Format,
  dialect: Dialect,
  pair: Pair,
  content: Buffer,
): readonly ArchivedRow[] => readLines(format, content).map((line) => archivedRow(dialect, pair, line))

const readLines = (format: Format, content: Buffer): readonly Line[] => {
  try {
    return rowsOf(format, content)
  } catch (cause) {
    throw new ArchiverError('VERIFY_MISMATCH', 'the content is not that of an archive file', { cause })
  }
}

const archivedRow = (dialect: Dialect, { source: table, columns, key }: Pair, line: Line): ArchivedRow => {
  const names = new Set(columns.map(({ source }) => source.name))
  const missing = [...names].find((name) => !Object.hasOwn(line, name))
  const extra = Object.keys(line).find((name) => !names.has(name))
  if (missing !== undefined || extra !== undefined)
    throw new ArchiverError(
      'VERIFY_MISMATCH',
      missing === undefined
        ? `${fullNameOf(table)} has no column ${extra ?? ''}, and the file has`
        : `the file has no column ${missing}, and ${fullNameOf(table)} has`,
      { hint: 'columns.json beside the file has the columns of its time' },
    )
  return {
    key: key.map(({ name }) => line[name] ?? ''),
    texts: Object.fromEntries(
      columns.map(({ source }) => [source.name, dialect.exactOf(source, line[source.name] ?? null)]),
    ),
  }
}

/** Throws ROWS_FAILED where a file does not give back the rows that it was made from, each with every value. */
export const assertKeptWhole = (
  pair: Pair,
  keys: readonly Key[],
  rows: readonly RowTexts[],
  stored: readonly ArchivedRow[],
): void => {
  if (rows.length !== stored.length)
    throw new ArchiverError(
      'ROWS_FAILED',
      `the archive file gives back ${stored.length} of ${rows.length} rows`,
    )
  for (const [at, row] of rows.entries()) {
    const differing = differingColumns(row, stored[at]?.texts ?? {})
    if (differing.length > 0)
      throw new ArchiverError(
        'ROWS_FAILED',
        `the archive file does not keep the row ${keys[at]?.join(', ') ?? ''} of ${fullNameOf(pair.source)} as it is: ${differing.join(', ')}`,
        {
          hint: 'nothing of this batch was moved; a value larger than half of max_allowed_packet, or bytes that are no text, need an archive table',
        },
      )
  }
}
