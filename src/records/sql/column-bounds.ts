import { ItemError } from '../item-error.ts'
import type { MappedRecord } from '../map/map-record.ts'
import type { Cell } from '../values/convert.ts'
import { isMidnight, isoMoment } from '../values/dates.ts'
import { compareDecimals, fitsScale, parseDecimal, wholeDigits } from '../values/decimal.ts'
import { asSingle } from '../values/single.ts'
import type { Catalogue, CatalogueColumn } from './catalogue-column.ts'
import { familyOf, isSingle, WHOLE } from './narrowing.ts'

/** What is found in one item at most. */
const MOST = 20

/**
 * Holds the values of an item against the columns of the target, by what the catalogue says of them: length in characters and bytes, range, digits
 * after the point, range of dates. Throws STORE_REFUSED where one does not fit, which some engines refuse and others cut or round without
 * a word. What it lets pass may still break a constraint. `records run` and `records plan` both call it, so that they say the same.
 */
export const holdAgainstColumns = (rows: MappedRecord['rows'], catalogue: Catalogue): void => {
  const errors: ItemError[] = []
  for (const [table, own] of rows) {
    const columns = catalogue.get(table)
    if (!columns) continue
    for (const row of own)
      for (const [name, cell] of row) {
        const column = columns.get(name)
        const why = column && cell !== null ? misfit(cell, column) : undefined
        if (why !== undefined && errors.length < MOST)
          errors.push(
            new ItemError('STORE_REFUSED', `${table}.${name} ${why}; nothing was written`, {
              table,
              column: name,
            }),
          )
      }
  }
  const [first, ...others] = errors
  if (first) throw new ItemError(first.code, first.message, first.place, others)
}

/** Why a column cannot hold a value as it is; undefined where it can, or nothing is known. */
const misfit = (cell: Exclude<Cell, null>, column: CatalogueColumn): string | undefined => {
  // SQLite has no such bounds.
  if (!column.isBounded) return undefined
  switch (familyOf(column.type)) {
    case 'text':
      return textMisfit(String(cell), column)
    case 'whole':
      return wholeMisfit(String(cell), column)
    case 'decimal':
      return decimalMisfit(String(cell), column)
    case 'float':
      return floatMisfit(String(cell), column)
    case 'boolean':
      return /^[01]$/.test(String(cell)) ? undefined : 'is neither 1 nor 0'
    case 'date':
    case 'datetime':
      return dateMisfit(String(cell), column)
    case 'other':
      return undefined
  }
}

const floatMisfit = (text: string, column: CatalogueColumn): string | undefined => {
  const { type, scale } = column
  const number = Number(text)
  if (Number.isNaN(number)) return 'is no number'
  if (scale !== undefined && number !== Number(number.toFixed(scale)))
    return `has more than ${scale} digits after the point, which the table's column takes`
  const kept = isSingle(column) ? asSingle(number) : number
  if (!Number.isFinite(kept) || (kept === 0 && number !== 0)) return `is outside of ${type}`
  const [given, shown] = [parseDecimal(text), parseDecimal(String(kept))]
  const isSame = given && shown ? compareDecimals(given, shown) === 0 : kept === number
  return isSame ? undefined : `has more digits than the table's ${type} keeps`
}

const textMisfit = (
  text: string,
  { length, bytes, countsIn, charset }: CatalogueColumn,
): string | undefined => {
  if (charset !== undefined && !fitsCharset(text, charset)) return `has characters that ${charset} has not`
  if (length !== undefined && text.length > length / 2) {
    const units = countsIn === 'units' ? text.length : Array.from(text).length
    if (units > length) return `has ${units} characters, the table's column takes ${length}`
  }
  if (bytes === undefined || text.length * 3 <= bytes) return undefined
  const size = Buffer.byteLength(text)
  return size > bytes ? `has ${size} bytes, the table's column takes ${bytes}` : undefined
}

const fitsCharset = (text: string, charset: string): boolean => {
  if (charset === 'windows-1252') return !/[^\0-\x7f\xa0-\xff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]/.test(text)
  if (charset === 'ascii') return !/[^\0-\x7f]/.test(text)
  return !/^utf8(?:mb3)?$/.test(charset) || !/[\ud800-\udfff]/.test(text)
}

const wholeMisfit = (text: string, { type, isUnsigned, takesPoint }: CatalogueColumn): string | undefined => {
  const number = parseDecimal(text)
  if (!number || !fitsScale(number, 0) || (number.scale > 0 && !takesPoint))
    return `is no whole number, the table's column is ${type}`
  const bits = BigInt(WHOLE[type] ?? 8) * 8n
  const span = 1n << bits
  const [least, most] = isUnsigned ? [0n, span - 1n] : [-span / 2n, span / 2n - 1n]
  const units = number.units / 10n ** BigInt(number.scale)
  return units < least || units > most ? `is outside of the table's ${type}` : undefined
}

const decimalMisfit = (text: string, { precision, scale = 0 }: CatalogueColumn): string | undefined => {
  // A float in scientific notation is left to the engine.
  const number = parseDecimal(text)
  if (!number || precision === undefined) return undefined
  if (!fitsScale(number, scale))
    return `has more than ${scale} digits after the point, which the table's column takes`
  return wholeDigits(number) > precision - scale
    ? `has more digits than the table's decimal(${precision}, ${scale})`
    : undefined
}

const dateMisfit = (text: string, { type, scale, range, step }: CatalogueColumn): string | undefined => {
  const moment = isoMoment(text)
  if (!moment) return undefined
  if (type === 'date') return isMidnight(moment) ? undefined : "has a time of day, the table's column is date"
  if (scale !== undefined && moment.fraction.length > scale)
    return `has more than ${scale} digits of a second, which the table's column takes`
  const isOff =
    (step === 'minute' && moment.seconds % 60_000 !== 0) ||
    (step === 'tick' && !/^(?:|0[037]?|00[37]|\d[037]?|\d\d[037])$/.test(moment.fraction))
  if (isOff) return `has a time that the table's ${type} would round`
  if (!range) return undefined
  const [least, most] = range.map((one) => Date.parse(`${one}Z`)) as [number, number]
  return moment.seconds < least || moment.seconds > most ? `is outside of the table's ${type}` : undefined
}
