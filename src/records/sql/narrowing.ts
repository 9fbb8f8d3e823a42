import type { Column, ColumnType } from '../mapping/model.ts'
import type { CatalogueColumn } from './catalogue-column.ts'

interface Said {
  readonly severity: 'problem' | 'note'
  readonly message: string
}

/** Bytes of whole numbers, by the names of the engines. */
export const WHOLE: Readonly<Record<string, number>> = {
  tinyint: 1,
  smallint: 2,
  smallserial: 2,
  mediumint: 3,
  int: 4,
  integer: 4,
  serial: 4,
  bigint: 8,
  bigserial: 8,
}
/** Bytes that the values of a type need. A tinyint reaches to 255, which a signed byte does not. */
const NEEDED: Partial<Record<ColumnType, number>> = { bit: 1, tinyint: 2, smallint: 2, integer: 4, bigint: 8 }

export type Family = 'whole' | 'decimal' | 'float' | 'text' | 'date' | 'datetime' | 'boolean' | 'other'

const FAMILIES: readonly (readonly [RegExp, Family])[] = [
  [/^(?:numeric|decimal|money)/, 'decimal'],
  [/^(?:real|double|float)/, 'float'],
  [/char|text|clob|json|enum/, 'text'],
  [/^(?:timestamp|(?:small)?datetime)/, 'datetime'],
  [/^date$/, 'date'],
  [/^bool/, 'boolean'],
]

/** What kind of values a type of the target holds. */
export const familyOf = (type: string): Family =>
  type in WHOLE ? 'whole' : (FAMILIES.find(([pattern]) => pattern.test(type))?.[1] ?? 'other')

/** Whether a column keeps four bytes of a float. MySQL calls that `float`, which has eight bytes elsewhere. */
export const isSingle = ({ type, precision }: CatalogueColumn): boolean =>
  type === 'real' || (type === 'float' && precision !== 53)

/** In what a column of the database is narrower than what the mapping gives it; undefined: it holds every value. */
export const narrowing = (column: Column, there: CatalogueColumn, isSqlite: boolean): Said | undefined => {
  const { type } = column
  if (type === undefined) return undefined
  if (isSqlite) return sqliteNarrowing(type, there)
  const family = familyOf(there.type)
  if (family === 'other') return undefined
  if (family === 'text') return type === 'text' ? lengthNarrowing(column, there) : undefined
  const wrong = (why: string): Said => ({
    severity: 'problem',
    message: `${there.type} in the target: ${why}`,
  })
  switch (type) {
    case 'text':
    case 'json':
      return wrong(`a ${type} does not fit`)
    case 'date':
      return family === 'date' || family === 'datetime' ? undefined : wrong('a date does not fit')
    case 'datetime':
      if (family !== 'datetime') return wrong('the time of day is lost')
      return (column.scale ?? 0) > (there.scale ?? 0) ? wrong('fractions of a second are lost') : undefined
    case 'float':
      if (family === 'decimal') return undefined
      if (family !== 'float') return wrong('what stands after the point is lost')
      if (there.scale !== undefined) return wrong(`it keeps ${there.scale} digits after the point`)
      return isSingle(there) ? wrong('narrower than float: it keeps six digits') : undefined
    case 'decimal':
      return decimalNarrowing(column, there, family)
    default:
      if (family === 'boolean') return type === 'bit' ? undefined : wrong(`a ${type} does not fit`)
      if (family === 'decimal') return undefined
      if (family !== 'whole') return wrong(`a ${type} does not fit exactly`)
      if (type === 'tinyint' && there.isUnsigned) return undefined
      return (NEEDED[type] ?? 8) > (WHOLE[there.type] ?? 8) ? wrong(`narrower than ${type}`) : undefined
  }
}

const decimalNarrowing = (
  { precision, scale = 0 }: Column,
  there: CatalogueColumn,
  family: Family,
): Said | undefined => {
  const wrong = (why: string): Said => ({
    severity: 'problem',
    message: `${there.type} in the target: ${why}`,
  })
  if (family === 'float') return wrong('decimals lose digits')
  if (family !== 'decimal')
    return scale === 0 && family === 'whole' ? undefined : wrong('a decimal does not fit')
  // Without a bound it takes every digit.
  if (there.precision === undefined) return undefined
  const places = there.scale ?? 0
  if (scale > places) return wrong(`${places} digits after the point, the mapping gives ${scale}`)
  if (precision !== undefined && precision - scale > there.precision - places)
    return wrong(
      `${there.precision - places} digits before the point, the mapping gives ${precision - scale}`,
    )
  return undefined
}

const lengthNarrowing = ({ length }: Column, there: CatalogueColumn): Said | undefined => {
  if (there.length === undefined || (length !== undefined && length <= there.length)) return undefined
  return length === undefined
    ? {
        severity: 'note',
        message: `takes ${there.length} characters: give its length, or longer texts are refused`,
      }
    : { severity: 'problem', message: `takes ${there.length} characters, the mapping gives up to ${length}` }
}

/** SQLite keeps what it is given, except that columns of numbers turn texts of digits into numbers. */
const sqliteNarrowing = (type: ColumnType, there: CatalogueColumn): Said | undefined => {
  const isText = /char|text|clob/.test(there.type) || there.type === '' || there.type.includes('blob')
  return type === 'decimal' && !isText
    ? { severity: 'problem', message: `${there.type} in SQLite loses digits of decimals: declare it TEXT` }
    : undefined
}
