import { describe, expect, it } from 'vitest'
import { planCommand } from '../../src/commands/records/plan.ts'
import { CASES, compared, givenFile, isShared, SHARED, wanted } from './case-folders.ts'
import { printing } from './databases.ts'

describe('records plan of a case', () => {
  it.each(CASES)('$name becomes what its expectation says', async (one) => {
    const { context, printed } = printing()
    const given = givenFile(one)
    const code = await planCommand(
      {
        item: one.payload,
        mapping: one.mapping,
        sourceKey: one.sourceKey,
        sourceKind: one.sourceKind,
        json: true,
        showValues: true,
        ...(given === undefined ? {} : { given }),
      },
      context,
    )
    expect(compared(JSON.parse(printed()) as Record<string, unknown>, one)).toEqual(wanted(one))
    expect(code).toBe(one.expected['status'] === 'success' ? 0 : 1)
  })
  if (!isShared) it.skip(`the shared cases: ${SHARED} is not there`)
})
