import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { planCommand } from '../../../src/commands/records/plan.ts'
import { printing } from '../databases.ts'

export interface Plan {
  readonly status: string
  readonly rows: Record<string, Record<string, unknown>[]>
  readonly [name: string]: unknown
}

export interface PlanOptions {
  readonly key?: string
  readonly kind?: 'text' | 'bytes'
  readonly given?: unknown
}

/** What `records plan FILE --mapping FILE --json --show-values` prints for a payload. */
export const planOf = async (
  mapping: string,
  payload: string | Uint8Array,
  { key = '7', kind = typeof payload === 'string' ? 'text' : 'bytes', given }: PlanOptions = {},
): Promise<Plan> => {
  const folder = mkdtempSync(join(tmpdir(), 'records-plan-'))
  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const { context, printed } = printing()
  // A test plans thousands of times: the folder goes at once.
  const code = await planCommand(
    {
      item: file('payload', payload),
      mapping: file('mapping', mapping),
      sourceKey: key,
      sourceKind: kind,
      json: true,
      showValues: true,
      ...(given === undefined ? {} : { given: file('given', JSON.stringify(given)) }),
    },
    context,
  ).finally(() => rmSync(folder, { recursive: true }))
  const plan = JSON.parse(printed()) as Plan
  if ((plan.status === 'success') !== (code === 0)) throw new Error(`exit ${code} with ${plan.status}`)
  return plan
}

/** A mapping with one row of a key and a value. */
export const withColumn = (column: string, top = ''): string => `version: 1
record: { root: r, key: /r/@id, key_type: bigint }
${top}
tables:
  - table: t
    key: [id]
    columns:
      id: { from: $key, type: bigint }
      v: ${column}
`

/** The value of that column, null where it is left out, or the code of the failure. */
export const valueOf = async (column: string, payload: string | Uint8Array, top = ''): Promise<unknown> => {
  const plan = await planOf(withColumn(column, top), payload)
  return plan.status === 'success' ? (plan.rows['t']?.[0]?.['v'] ?? null) : plan['code']
}
