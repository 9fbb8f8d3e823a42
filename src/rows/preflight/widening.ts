import type { SqlDialect } from '../../sql/session.ts'
import { isKnownType } from '../dialects/mysql-columns.ts'
import type { Column } from '../table.ts'

/** PostgreSQL compares every type by its text, except where that text is not the whole value. */
const PARTIAL_TEXTS = /^_?(?:oid|reg\w+|lo|cid|xid|tid)$/

/** Whether values of this type can be compared exactly. */
export const isKnown = (column: Column, dialect: SqlDialect): boolean =>
  dialect === 'mysql' ? isKnownType(column) : !PARTIAL_TEXTS.test(column.type)

const BITS: Readonly<Record<string, number>> = {
  tinyint: 8,
  smallint: 16,
  int2: 16,
  mediumint: 24,
  int: 32,
  int4: 32,
  bigint: 64,
  int8: 64,
}
const TEXTS = /^(?:char|varchar|tinytext|text|mediumtext|longtext)$/
const BYTES = /^(?:binary|varbinary|tinyblob|blob|mediumblob|longblob)$/

/** Character sets that hold every character of another, so that a value comes through whole. */
const WIDE = /^utf8mb4$/
const WITHIN_UTF8MB4 = /^(?:ascii|latin1|utf8|utf8mb3|utf8mb4|ucs2|utf16|utf16le|utf32)$/

/** Whether the archive's column keeps every value of the source's column exactly as it is. When in doubt: no. */
export const holds = (source: Column, archive: Column, dialect: SqlDialect): boolean => {
  const integer = holdsIntegers(source, archive)
  if (integer !== undefined) return integer
  return dialect === 'mysql' ? holdsInMysql(source, archive) : holdsInPostgres(source, archive)
}

const holdsIntegers = (source: Column, archive: Column): boolean | undefined => {
  const from = BITS[source.type]
  const to = BITS[archive.type]
  if (from === undefined || to === undefined) return undefined
  if (source.unsigned === archive.unsigned) return to >= from
  return source.unsigned && to > from
}

const holdsInMysql = (source: Column, archive: Column): boolean => {
  if (TEXTS.test(source.type) && TEXTS.test(archive.type))
    // CHAR drops spaces at the end that a VARCHAR keeps.
    return (
      (archive.type !== 'char' || source.type === 'char') &&
      isWide(source, archive) &&
      isLong(source, archive)
    )
  if (BYTES.test(source.type) && BYTES.test(archive.type))
    // BINARY fills up with zero bytes.
    return (archive.type === 'binary' ? sameType(source, archive) : true) && isLong(source, archive)
  // DOUBLE(5,1) rounds.
  if (source.type === 'float' && archive.fullType === 'double') return true
  if (source.type === 'decimal' && archive.type === 'decimal')
    return (
      source.scale === archive.scale &&
      (archive.precision ?? 0) >= (source.precision ?? 0) &&
      (source.unsigned || !archive.unsigned)
    )
  return sameType(source, archive) && source.charset === archive.charset
}

const isWide = (source: Column, archive: Column): boolean =>
  source.charset === archive.charset ||
  (WIDE.test(archive.charset ?? '') && WITHIN_UTF8MB4.test(source.charset ?? ''))

/** In characters where the charset is one, in bytes as well: a TEXT holds 65,535 bytes whatever its characters are. */
const isLong = (source: Column, archive: Column): boolean =>
  (archive.length ?? 0) >= (source.length ?? 0) && (archive.octets ?? 0) >= (source.octets ?? 0)

/** Without the display width of integers and without comments: what the value is made of. */
const sameType = (source: Column, archive: Column): boolean =>
  source.type === archive.type &&
  source.fullType.replace(/ zerofill/, '') === archive.fullType.replace(/ zerofill/, '')

const holdsInPostgres = (source: Column, archive: Column): boolean => {
  if (source.fullType === archive.fullType) return true
  const isText = (column: Column): boolean => column.type === 'varchar' || column.type === 'text'
  if (isText(source) && isText(archive))
    return archive.length === undefined || (source.length !== undefined && archive.length >= source.length)
  if (source.type === 'numeric' && archive.type === 'numeric')
    return (
      archive.precision === undefined ||
      (source.scale === archive.scale && (source.precision ?? Infinity) <= archive.precision)
    )
  return false
}
