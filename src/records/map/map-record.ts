import { ItemError, type ItemWarning } from '../item-error.ts'
import type { KeyType, Mapping } from '../mapping/model.ts'
import type { Element } from '../payload/tree.ts'
import { characterFault, trimmed } from '../values/characters.ts'
import { integerCell, type Cell } from '../values/convert.ts'
import type { Moment } from '../values/dates.ts'
import { ItemReport } from './item-report.ts'
import { ListedElements } from './lists.ts'
import { mapRow, type Row } from './map-row.ts'
import { Names } from './scope.ts'
import { elementsAt, isDoubled, leafOf } from './select.ts'

/** What one payload becomes. */
export interface MappedRecord {
  readonly key: Cell
  /** Rows by table, both in the order in which they are inserted. */
  readonly rows: ReadonlyMap<string, readonly Row[]>
  readonly warnings: readonly ItemWarning[]
}

export interface MapOptions {
  /** The key of the source row; undefined where the payload is all there is. */
  readonly sourceKey: string | undefined
  readonly now: Moment
  /** A warning fails the item. */
  readonly strict: boolean
}

/**
 * The rows of a payload. Pure: same payload, same rows. Throws an ItemError with the stage that found it, and all that is wrong with
 * the values at once.
 */
export const mapRecord = (root: Element, mapping: Mapping, options: MapOptions): MappedRecord => {
  const report = new ItemReport()
  const key = recordKey(root, mapping, options.sourceKey)
  for (const path of mapping.required)
    if (elementsAt(path, root, undefined).length === 0)
      throw new ItemError('REQUIRED_ELEMENT', `there is no element ${path.text}`, { path: path.text })
  const lists = new ListedElements(root, mapping, report)
  const names = new Names(root, mapping, options.now)
  const material = { root, mapping, key, now: options.now, lists, names, report }
  const rows = new Map<string, readonly Row[]>()
  for (const table of mapping.tables) {
    const contexts = table.each ? lists.elements(table.each) : [undefined]
    const made = contexts.flatMap((context) =>
      table.rows.flatMap((rule) => mapRow(table, rule, context, material) ?? []),
    )
    rows.set(table.name, distinct(table, made, report))
  }
  report.throwIfFailed()
  if (options.strict && report.warnings[0]) {
    const { code, ...place } = report.warnings[0]
    throw new ItemError('STRICT', `${code}: warnings fail an item under --strict`, place)
  }
  return { key, rows, warnings: report.warnings }
}

/** No row of an item may stand in the way of another one. Equal rows of a shared table are one. */
const distinct = (
  { name, key, shared }: Mapping['tables'][number],
  rows: readonly Row[],
  report: ItemReport,
): readonly Row[] => {
  if (rows.length < 2) return rows
  const seen = new Map<string, Row>()
  for (const row of rows) {
    const identity = JSON.stringify(key.map((column) => row.get(column) ?? null))
    const other = seen.get(identity)
    if (!other) seen.set(identity, row)
    else if (!shared || JSON.stringify([...other]) !== JSON.stringify([...row]))
      report.fail('DUPLICATE_ROW', `${name} would have two rows with one key`, {
        table: name,
        key_of_row: Object.fromEntries(key.map((column) => [column, row.get(column) ?? null])),
      })
  }
  return seen.size === rows.length ? rows : [...seen.values()]
}

const recordKey = (root: Element, { record }: Mapping, sourceKey: string | undefined): Cell => {
  if (root.name !== record.root)
    throw new ItemError('ROOT_MISMATCH', `the root element is not ${record.rootText}`)
  const found = elementsAt(record.key, root, undefined)
  if (found.length > 1)
    throw new ItemError('KEY_NOT_VALID', `${record.key.text} names ${found.length} elements`, {
      path: record.key.text,
    })
  if (found[0] && isDoubled(found[0], record.key))
    throw new ItemError('KEY_NOT_VALID', `${record.key.text} names several attributes`, {
      path: record.key.text,
    })
  const text = found[0] && leafOf(found[0], record.key.leaf)
  const plain = text === undefined ? '' : trimmed(text)
  if (plain === '')
    throw new ItemError('KEY_MISSING', `there is no key at ${record.key.text}`, { path: record.key.text })
  const key = keyCell(plain, record.keyType)
  if (key === undefined)
    throw new ItemError('KEY_NOT_VALID', `the key at ${record.key.text} is no ${record.keyType}`, {
      path: record.key.text,
    })
  if (sourceKey !== undefined && keyCell(trimmed(sourceKey), record.keyType) !== key)
    throw new ItemError('KEY_MISMATCH', `the key at ${record.key.text} is not the key of the source row`, {
      path: record.key.text,
    })
  return key
}

/** Characters that `processing_log` has for a key. */
const LONGEST_KEY = 255

const isTextKey = (text: string): boolean =>
  text.length <= 2 * LONGEST_KEY &&
  Array.from(text).length <= LONGEST_KEY &&
  characterFault(text) === undefined

/** A key as it is stored and compared; undefined where it is none of its type. */
export const keyCell = (text: string, type: KeyType): Cell | undefined => {
  if (type === 'text') return isTextKey(text) ? text : undefined
  if (!/^-?\d{1,19}$/.test(text)) return undefined
  const units = BigInt(text)
  return units >= -(2n ** 63n) && units < 2n ** 63n ? integerCell(units) : undefined
}
