import type { RowTexts } from './dialects/dialect.ts'

/** The columns in which two versions of a row differ. */
export const differingColumns = (one: RowTexts, other: RowTexts): readonly string[] =>
  Object.keys(one).filter((name) => one[name] !== other[name])
