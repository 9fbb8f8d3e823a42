/** How a value was written, in the words of artdaq's metadata (spec section 4.3). */
export type ScalarType =
  'nil' | 'bool' | 'number' | 'complex' | 'string_unquoted' | 'string_singlequoted' | 'string_doublequoted'

/** Written between a name and its colon; empty where none is given. */
export type Protection = '' | '@protect_ignore' | '@protect_error'

interface Noted {
  /** The comment on the line above the value, where artdaq keeps it. */
  readonly comment: string
  /** The comment on the value's own line; a table has none. */
  readonly annotation: string
  readonly protection: Protection
}

/** A value that is kept as its source text: never normalised, quotes taken off, backslashes left on. */
export interface Scalar extends Noted {
  readonly type: ScalarType
  readonly text: string
}

export interface Sequence extends Noted {
  readonly type: 'sequence'
  readonly elements: readonly FhiclValue[]
}

export interface Table extends Noted {
  readonly type: 'table'
  readonly members: readonly Parameter[]
}

export type FhiclValue = Scalar | Sequence | Table

/** A name bound to a value. At top level a name may hold dots, and may come twice. */
export interface Parameter {
  readonly key: string
  readonly value: FhiclValue
}

/** A comment as it stands in the text, `#` or `//` included. Lines count from 1. */
export interface Comment {
  readonly line: number
  readonly text: string
}

/** A FHiCL text as artdaq understands it: references are text, includes are parameters, nothing is resolved. */
export interface FhiclDocument {
  readonly prolog: readonly Parameter[]
  readonly main: readonly Parameter[]
  /** Every comment that artdaq's scan finds, in line order; empty where it finds none. */
  readonly comments: readonly Comment[]
}
