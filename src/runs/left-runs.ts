import type { RunSet } from '../common/run-set.ts'
import type { Plan, PlanRequest } from './plan.ts'

/** How many ready runs a pass over everything leaves; a retry, a share and chosen runs say nothing of the rest: undefined. */
export const leftRuns = (
  {
    mode,
    only,
    share,
    override,
  }: Pick<PlanRequest, 'mode'> & Partial<Pick<PlanRequest, 'only' | 'share' | 'override'>>,
  { beyond }: Plan,
  pending: RunSet,
): number | undefined =>
  mode === 'retry' || only || share || override !== undefined ? undefined : pending.size + beyond
