import { describe, expect, it } from 'vitest'
import { PLAIN_COLUMN } from '../../../src/records/mapping/read-columns.ts'
import { UNBOUNDED, type CatalogueColumn } from '../../../src/records/sql/catalogue-column.ts'
import { narrowing } from '../../../src/records/sql/narrowing.ts'

const there = (type: string, precision?: number, scale?: number): CatalogueColumn => ({
  name: 'v',
  type,
  nullable: true,
  hasDefault: false,
  length: undefined,
  precision,
  scale,
  ...UNBOUNDED,
})
const float = {
  ...PLAIN_COLUMN,
  name: 'v',
  at: { line: 1, column: 1 },
  origin: { type: 'key' },
  type: 'float',
} as const

describe('a float of the mapping', () => {
  it.each([
    ['real of PostgreSQL', there('real', 24), 'six digits'],
    ['float of MySQL', there('float', 12), 'six digits'],
    ['double(9,2) of MySQL', there('double', 9, 2), '2 digits after the point'],
  ])('does not fit into a %s', (_what, column, said) => {
    expect(narrowing(float, column, false)).toMatchObject({
      severity: 'problem',
      message: expect.stringContaining(said) as string,
    })
  })
  it.each([there('double precision', 53), there('double', 22), there('float', 53)])(
    'fits into eight bytes: $type',
    (column) => expect(narrowing(float, column, false)).toBeUndefined(),
  )
})
