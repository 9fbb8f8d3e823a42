import { quantile } from '../common/quantile.ts'
import type { ExecutionLine } from './model.ts'

const GOOD = ['ok', 'partial']

/**
 * Seconds from the first try to the good end, the mean over all that came to one: an execution that failed and those behind it count as tries
 * of the next one that ended well. Undefined where none did. `executions`: of one task.
 */
export const meanToCompletion = (executions: readonly ExecutionLine[]): number | undefined => {
  const times: number[] = []
  let firstTry: number | undefined
  for (const { startedAt, endedAt, standing } of [...executions].sort((a, b) => a.startedAt - b.startedAt)) {
    firstTry ??= startedAt
    if (endedAt === undefined || !GOOD.includes(standing)) continue
    times.push((endedAt - firstTry) / 1000)
    firstTry = undefined
  }
  return times.length === 0 ? undefined : times.reduce((sum, time) => sum + time, 0) / times.length
}

/** By the nearest rank, of seconds that executions took which ended well; undefined where none did. */
export const usualSeconds = (executions: readonly ExecutionLine[], part: number): number | undefined => {
  const took = executions.flatMap(({ startedAt, endedAt, standing }) =>
    endedAt !== undefined && GOOD.includes(standing) ? [(endedAt - startedAt) / 1000] : [],
  )
  return quantile(took, part)
}
