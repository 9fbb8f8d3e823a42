import type { JsonObject } from './json/model.ts'

/** How a scalar was written, in the words of artdaq's metadata. */
export type ScalarType =
  'nil' | 'bool' | 'number' | 'complex' | 'string_unquoted' | 'string_singlequoted' | 'string_doublequoted'

/** Written between a name and its colon; empty where none is given. */
export type Protection = '' | '@protect_ignore' | '@protect_error'

/** A comment as it stands in the text, `#` or `//` included. Lines count from 1. */
export interface Comment {
  readonly line: number
  readonly text: string
}

/** A FHiCL text as artdaq keeps it: references are text, includes are parameters, nothing is resolved or normalised. */
export interface FhiclDocument {
  /** `prolog` and `main`: the parameters in order, every leaf the source text of its value. */
  readonly data: JsonObject
  /** The same shape in nodes of type, comment, annotation, protection and children. */
  readonly metadata: JsonObject
  /** Every comment that artdaq's scan finds, in line order; empty where it finds none. */
  readonly comments: readonly Comment[]
}
