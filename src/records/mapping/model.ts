import type { Expression } from '../expression/syntax.ts'
import type { DateFormat } from '../values/dates.ts'
import type { Limits } from '../payload/tree.ts'
import type { Naming } from '../payload/xml-reader.ts'
import type { Path } from './paths.ts'
import type { At } from './document.ts'

/** What becomes of a payload: which rows of which tables. Read from YAML, or from the original's contract. */
export interface Mapping {
  readonly source: Source
  readonly record: {
    readonly root: string
    readonly rootText: string
    readonly key: Path
    readonly keyType: KeyType
  }
  readonly naming: Naming
  readonly limits: Limits
  /** Words that count as nothing, beside the empty text. */
  readonly nullWords: ReadonlySet<string>
  readonly lists: ReadonlyMap<string, List>
  /** In the order in which they are inserted. */
  readonly tables: readonly Table[]
  /** Elements that must be there. */
  readonly required: readonly Path[]
  /** What a name of an expression is that stands for several elements: an error, or the last one with a warning. */
  readonly repeatedNames: 'fail' | 'last'
  /** Formats of dates that expressions read. */
  readonly dateFormats: readonly DateFormat[]
  /** For a contract of the original: what has another result here, for `records check`. */
  readonly notes: readonly Note[]
}

export interface Note {
  readonly at: At
  readonly message: string
}

export type KeyType = 'bigint' | 'text'

/** Where payloads come from, as far as the mapping says. */
export interface Source {
  readonly table: string | undefined
  readonly query: string | undefined
  readonly files: string | undefined
  readonly key: string | undefined
  readonly payload: string | undefined
  readonly format: 'xml' | 'json'
}

/** A condition on an element: its value at a path must be there, or be one of some. */
export interface Requirement {
  readonly path: Path
  readonly values: readonly string[] | 'present'
}

/** Which elements count, and which of two with one identity. */
export interface List {
  readonly name: string
  readonly each: Each
  readonly require: readonly Requirement[]
  readonly ignoreCase: boolean
  readonly otherwise: 'skip' | 'fail'
  /** At least one of these must have a value; empty: no such rule. */
  readonly anyOf: readonly Path[]
  readonly unique: Unique | undefined
  readonly min: number
  readonly max: number
}

export interface Unique {
  readonly by: readonly Path[]
  readonly prefer: Requirement | undefined
  /** Which one of those that are alike in that counts. */
  readonly then: 'first' | 'last' | 'fail'
}

/** Elements, one a row: those of a list, those below each element of a list, or those at a path. */
export type Each =
  | { readonly type: 'list'; readonly list: string; readonly below: readonly string[]; readonly text: string }
  | { readonly type: 'path'; readonly path: Path; readonly text: string }

export interface Table {
  readonly name: string
  readonly key: readonly string[]
  /** Rows that other records may name as well: equal ones are not inserted again. */
  readonly shared: boolean
  /** No row where nothing but key and defaults is in it. */
  readonly skipWhenEmpty: boolean
  readonly each: Each | undefined
  readonly rows: readonly RowRule[]
  readonly at: At
}

export interface RowRule {
  readonly columns: readonly Column[]
  readonly when: Formula | undefined
  /** No row, and no complaint about what is missing, where none of these columns has a value of its own. Empty: no such rule. */
  readonly needs: readonly Need[]
}

export interface Need {
  readonly column: string
  /** A number that is not above 0 does not count. */
  readonly aboveZero: boolean
}

/** An expression with its text, for messages. */
export interface Formula {
  readonly text: string
  readonly expression: Expression
}

export type Take = 'only' | 'first' | 'last'

/** Where a value comes from. */
export type Origin =
  | { readonly type: 'key' }
  /** `warns`: a repeated element is taken as `take` says, with a warning. */
  | { readonly type: 'path'; readonly path: Path; readonly take: Take; readonly warns: boolean }
  | { readonly type: 'choice'; readonly choice: Choice }
  /** `base`: the element whose attributes the expression may name alone, where the row has none. */
  | { readonly type: 'expression'; readonly formula: Formula; readonly base: Path | undefined }
  | { readonly type: 'literal'; readonly value: string | number | null }
  | { readonly type: 'now' }

/** One element out of several, and a value of it. */
export interface Choice {
  readonly each: Each
  readonly where: readonly Requirement[]
  readonly ignoreCase: boolean
  readonly prefer: Requirement | undefined
  readonly take: Take
  /** A value of the element, or of one of those below it. */
  readonly value: Path | Choice
}

export const isChoice = (value: Path | Choice): value is Choice => 'each' in value

export const TYPES = [
  'text',
  'tinyint',
  'smallint',
  'integer',
  'bigint',
  'decimal',
  'float',
  'date',
  'datetime',
  'bit',
  'json',
] as const
export type ColumnType = (typeof TYPES)[number]

export interface Column {
  readonly name: string
  readonly origin: Origin
  /** Taken where the first one has no value, with codes of its own where it has some. */
  readonly fallback: { readonly origin: Origin; readonly codes: Codes | undefined } | undefined
  readonly type: ColumnType | undefined
  readonly length: number | undefined
  readonly precision: number | undefined
  readonly scale: number | undefined
  readonly required: boolean
  readonly default: string | number | undefined
  readonly codes: Codes | undefined
  readonly formats: readonly DateFormat[]
  readonly digits: boolean
  readonly strip: string
  readonly grouping: string
  readonly round: boolean
  readonly trim: boolean
  /** Words that count as nothing in this column, beside those of the mapping. */
  readonly nullWords: readonly string[]
  readonly onLong: 'fail' | 'cut'
  readonly onBad: 'fail' | 'null' | 'default'
  readonly onUnknown: 'fail' | 'null' | 'default'
  /** Its default is left out of a row with fewer than two values of its own. */
  readonly aside: boolean
  readonly at: At
}

/** Codes of a payload and what is stored for each: an enum, or bits. */
export interface Codes {
  readonly name: string
  readonly ignoreCase: boolean
  /** Under '' stands what a blank becomes. */
  readonly values: ReadonlyMap<string, string | number>
  /** What an unknown code becomes, with a warning; undefined: as the column says. */
  readonly otherwise: string | number | undefined
  /** An unknown code is nothing, without a warning. */
  readonly quiet: boolean
}
