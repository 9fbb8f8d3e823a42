import { jsonObject } from '../../common/json-object.ts'
import { tables } from '../ledger/ledger-tables.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'

/** The event by which a pass over everything says how many ready runs it left, by stage. */
export const RUNS_LEFT = 'runs-left'

/** Passes that are looked back at: more than a site may ask for. */
const MOST_PASSES = 20
/** Events that are read: other archivers may use the same ledger. */
const LOOKED_AT = 400

/** What the newest passes of a work_dir left in each stage, the oldest first; at most one more than `MOST_PASSES` of them. */
export const runsLeft = async (
  database: LedgerDatabase,
  workDir: string,
): Promise<ReadonlyMap<string, readonly number[]>> => {
  const rows = await tables(database)
    .selectFrom('events')
    .select('detail')
    .where('kind', '=', RUNS_LEFT)
    .orderBy('at', 'desc')
    .limit(LOOKED_AT)
    .execute()
  const left = new Map<string, number[]>()
  for (const { detail } of rows) {
    const { work_dir: where, stages } = jsonObject(detail)
    if (where !== workDir) continue
    for (const [stage, count] of Object.entries(stages ?? {}) as [string, unknown][]) {
      const counts = left.get(stage) ?? []
      if (typeof count === 'number' && counts.length <= MOST_PASSES) left.set(stage, [count, ...counts])
    }
  }
  return left
}

/** Whether each of the newest passes left more than the one before, so many times in a row. The oldest first. */
export const isGrowing = (left: readonly number[], passes: number): boolean =>
  left.length > passes &&
  left.slice(-passes).every((count, i) => count > (left[left.length - passes - 1 + i] ?? 0))
