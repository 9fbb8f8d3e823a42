import type { Statement } from '../sql/session.ts'

/** A column of a table, as the server describes it. */
export interface Column {
  readonly name: string
  /** The type without its length: `bigint`, `varchar`, `timestamptz`. */
  readonly type: string
  /** As the server writes it: `bigint(20) unsigned`, `character varying(20)`. */
  readonly fullType: string
  readonly nullable: boolean
  /** Whether an insert may leave it out. */
  readonly hasDefault: boolean
  /** Computed by the server: never written. */
  readonly generated: boolean
  /** How a generated column is computed, as the server writes it. */
  readonly expression: string | undefined
  /** Characters of a text, bytes of a binary; undefined where the type has no length. */
  readonly length: number | undefined
  /** Bytes of a text or binary. */
  readonly octets: number | undefined
  readonly precision: number | undefined
  readonly scale: number | undefined
  readonly unsigned: boolean
  readonly charset: string | undefined
  readonly collation: string | undefined
}

/**
 * What a move relies on in a table: its kind and engine, columns, key, triggers, rules, and foreign keys to and from it. Kept as what the server
 * answers to some statements, so that another answer means that the table was changed.
 */
export interface Shape {
  readonly question: readonly Statement[]
  readonly answer: string
}

/** A table that was looked up on its server. */
export interface Table {
  /** The database (MySQL) or schema (PostgreSQL). */
  readonly schema: string
  readonly name: string
  /** `table`, or what else it is: `view`, `foreign table`. */
  readonly kind: string
  /** MySQL: the storage engine. PostgreSQL: how its rows are kept, `permanent`, `unlogged` or `temporary`. */
  readonly engine: string
  readonly columns: readonly Column[]
  /** The columns of the primary key in its order; empty: it has none. */
  readonly key: readonly string[]
  /** As the server had it before its columns were read. */
  readonly shape: Shape
}

/** What a column of the key holds, and so how an id is written. */
export type KeyType = 'integer' | 'uuid' | 'text' | 'date' | 'time'

export interface KeyColumn {
  readonly name: string
  readonly type: KeyType
  readonly column: Column
}

/** The columns that are copied and compared: all that the archive does not compute by itself. */
export interface CopiedColumn {
  readonly source: Column
  readonly archive: Column
}

/** Both tables of a move, checked: what the SQL is made from. */
export interface Pair {
  readonly source: Table
  readonly archive: Table
  readonly key: readonly KeyColumn[]
  readonly columns: readonly CopiedColumn[]
  /** SQL that must hold for a live row to be moved, in the names of its own columns; undefined: any row that is named. */
  readonly where?: string
  /** Tables whose rows refer to those of the source, and go with them. */
  readonly children?: readonly Child[]
}

/** A child table with its archive. */
export interface Child {
  readonly pair: Pair
  /** The child's columns that hold the parent's primary key, in its order: a foreign key of the server. */
  readonly refers: readonly string[]
  /** MariaDB and MySQL: an index over these columns. By another one, rows of others would be waited for. */
  readonly index?: string
}

/** A table's name with its database or schema; the URL of an archive of files. */
export const fullNameOf = ({ schema, name }: Table): string => (schema === '' ? name : `${schema}.${name}`)

/** A pair with all below it, each before its children. */
export const groupOf = (pair: Pair): readonly Pair[] => [
  pair,
  ...(pair.children ?? []).flatMap((child) => groupOf(child.pair)),
]

/** The condition as SQL that follows another one; it may end in a comment. */
export const andWhere = ({ where }: Pair): string => (where === undefined ? '' : ` AND (${where}\n)`)

/** The values of a key's columns, as texts in the one form that the server writes too. */
export type Key = readonly string[]

/** One text for a key: for sets and maps. */
export const keyText = (key: Key): string => (key.length === 1 ? (key[0] ?? '') : JSON.stringify(key))
