import { describe, expect, it } from 'vitest'
import {
  OPERATIONS,
  operationSchema,
  readOperation,
  type OperationName,
} from '../../../src/tracking/client/operations.ts'
import { TrackedExecution } from '../../../src/tracking/client/tracked-execution.ts'
import { TABLES, type Table, type TableName } from '../../../src/tracking/ledger/tables.ts'

/** What the columns of each type take on every engine. */
const TAKEN: Readonly<Record<string, { readonly low: number; readonly high: number }>> = {
  int: { low: -(2 ** 31), high: 2 ** 31 - 1 },
  big: { low: -(2 ** 63), high: 2 ** 63 - 1 },
  percent: { low: -999_999.99, high: 999_999.99 },
  real: { low: -1e300, high: 1e300 },
}
const columnOf = (op: OperationName, field: string): string | undefined => {
  const tables: TableName[] = op === 'heartbeat' ? ['process_metrics', 'executions'] : ['executions']
  return tables.map((name) => (TABLES[name] as Table).columns[field]).find((type) => type !== undefined)
}
const numbers = OPERATIONS.flatMap((op) =>
  Object.entries(operationSchema(op)).flatMap(([field, schema]) => {
    const { minimum, maximum } = schema as { minimum?: number; maximum?: number }
    return minimum === undefined || maximum === undefined ? [] : [{ op, field, minimum, maximum }]
  }),
)

describe('a number of an operation', () => {
  it.each(numbers.filter(({ op, field }) => columnOf(op, field) !== undefined))(
    'fits its column on every engine: $op $field',
    ({ op, field, minimum, maximum }) => {
      const { low, high } = TAKEN[columnOf(op, field) ?? ''] ?? { low: NaN, high: NaN }
      expect(minimum).toBeGreaterThanOrEqual(low)
      expect(maximum).toBeLessThanOrEqual(high)
    },
  )
  it.each(numbers)('is taken at its ends, and left out and named beyond: $op $field', (number) => {
    const { op, field, minimum, maximum } = number
    for (const value of [minimum, maximum])
      expect(readOperation({ op, [field]: value })).toMatchObject({
        operation: { [field]: value },
        problems: [],
      })
    if (field.endsWith('percent') && maximum === 100) return
    for (const value of [minimum * 1.5 - 1, maximum * 1.5, 'many', NaN, Infinity]) {
      const { operation, problems } = readOperation({ op, [field]: value })
      expect(operation).toEqual({ op })
      expect(problems).toEqual([expect.stringContaining(`"${field}": `)])
    }
  })
  it('that counts items up never leaves the range of a count', () => {
    const execution = new TrackedExecution('id', { op: 'init', task_name: 'x' }, 0)
    for (const items of [3, -8]) execution.apply({ op: 'add', items }, 1)
    expect(execution).toMatchObject({ shown: { itemsComplete: 0 }, rowsProcessed: 0 })
    for (let i = 0; i < 3; i += 1) execution.apply({ op: 'add', items: Number.MAX_SAFE_INTEGER }, 1)
    execution.enter('next', 2)
    execution.apply({ op: 'add', items: 7 }, 3)
    expect(execution).toMatchObject({
      shown: { itemsComplete: 7 },
      rowsProcessed: Number.MAX_SAFE_INTEGER,
    })
  })
})
