/** A column as the database knows it. */
export interface CatalogueColumn {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
  readonly hasDefault: boolean
  /** Characters; undefined where there is no such bound. */
  readonly length: number | undefined
  /** Digits of a decimal, and those behind the point; undefined where they are not bounded. */
  readonly precision: number | undefined
  readonly scale: number | undefined
  /** Whether the engine holds values to these bounds. SQLite does not. */
  readonly isBounded: boolean
  /** Filled by the engine; a value of ours needs IDENTITY_INSERT. SQL Server alone. */
  readonly isIdentity: boolean
  readonly isUnsigned: boolean
  /** Whether a whole number may come with a point and zeros behind it. */
  readonly takesPoint: boolean
  /** Bytes of a text in UTF-8, where these are bounded as well. */
  readonly bytes: number | undefined
  /** What the length counts: code points, or UTF-16 units. */
  readonly countsIn: 'characters' | 'units'
  /** The character set of a text, where it is one that takes fewer characters than there are. */
  readonly charset: string | undefined
  /** First and last moment, UTC, where the type has less than the calendar. */
  readonly range: readonly [string, string] | undefined
  /** Where moments are rounded to more than a digit of the second: to minutes, or to the ticks of 1/300 s of `datetime`. */
  readonly step: 'minute' | 'tick' | undefined
}

/** What a column is where the engine says nothing else. */
export const UNBOUNDED = {
  isBounded: true,
  isIdentity: false,
  isUnsigned: false,
  takesPoint: false,
  bytes: undefined,
  countsIn: 'characters',
  charset: undefined,
  range: undefined,
  step: undefined,
} as const satisfies Partial<CatalogueColumn>

/** Tables by name, and their columns by name. */
export type Catalogue = ReadonlyMap<string, ReadonlyMap<string, CatalogueColumn>>
