/**
 * Every way in which one item fails, with the stage that found it. They stand in `processing_log.code`; docs/RECORDS.md explains
 * each and a test holds the two together. None of them ends a run: the item is recorded as failed and the others go on.
 */
export const ITEM_CODES = {
  SOURCE_GONE: 'read',
  SOURCE_UNREADABLE: 'read',
  PAYLOAD_EMPTY: 'parse',
  XML_ENCODING: 'parse',
  XML_DOCTYPE: 'parse',
  XML_TOO_DEEP: 'parse',
  XML_TOO_LARGE: 'parse',
  XML_NOT_WELL_FORMED: 'parse',
  JSON_NOT_VALID: 'parse',
  ROOT_MISMATCH: 'key',
  KEY_MISSING: 'key',
  KEY_NOT_VALID: 'key',
  KEY_MISMATCH: 'key',
  REQUIRED_ELEMENT: 'validate',
  ELEMENT_REJECTED: 'validate',
  DUPLICATE_ELEMENT: 'validate',
  VALUE_NOT_VALID: 'map',
  VALUE_TOO_LONG: 'map',
  VALUE_OUT_OF_RANGE: 'map',
  REQUIRED_MISSING: 'map',
  ENUM_UNKNOWN: 'map',
  ELEMENT_AMBIGUOUS: 'map',
  EXPRESSION: 'map',
  DUPLICATE_ROW: 'map',
  STRICT: 'map',
  CONFLICT: 'insert',
  CONSTRAINT: 'insert',
  STORE_REFUSED: 'insert',
  POISON: 'worker',
} as const

export type ItemCode = keyof typeof ITEM_CODES
export type ItemStage = (typeof ITEM_CODES)[ItemCode]

/** Where the fault is. `column` is a table's column, or the column of the text where `line` is given. Never a value of the payload. */
export interface ItemPlace {
  readonly line?: number
  readonly column?: number | string
  readonly table?: string
  readonly path?: string
  readonly list?: string
  /** The condition of a list that an element does not meet. */
  readonly reason?: string
  /** The key of the row that another row stands in the way of. Values of the payload: shown on request only. */
  readonly key_of_row?: Readonly<Record<string, unknown>>
  readonly differs?: readonly string[]
  readonly constraint?: string
}

/** One item failed. The message is one sentence without values of the payload, so that it may stand in logs. */
export class ItemError extends Error {
  readonly code: ItemCode
  readonly stage: ItemStage
  readonly place: ItemPlace
  /** What else is wrong with the same item, 20 at most with this one. */
  readonly others: readonly ItemError[]

  constructor(code: ItemCode, message: string, place: ItemPlace = {}, others: readonly ItemError[] = []) {
    super(message)
    this.name = 'ItemError'
    this.code = code
    this.stage = ITEM_CODES[code]
    this.place = place
    this.others = others
  }
}

/** Something of an item that was left out or changed by the mapping's own rules. The item is stored all the same. */
export interface ItemWarning {
  readonly code: ItemCode | 'VALUE_CUT' | 'ELEMENT_SKIPPED'
  readonly table?: string
  readonly column?: string
  readonly list?: string
  readonly path?: string
  readonly reason?: string
}
