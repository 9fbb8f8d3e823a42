import { stat } from 'node:fs/promises'
import type { ProofCounts, Standing } from '../tracking/metrics/prometheus-textfile.ts'
import type { ProofFacts } from '../runs/report/report.ts'
import { provenOf } from '../runs/scrub/proven.ts'
import type { Archiver } from '../runs/archiver.ts'
import type { StageReport } from '../runs/pass.ts'

/** How each stage stands after a pass, for the metrics: the two numbers, what is pending, what has failed. */
export const standingsOf = (
  archiver: Archiver,
  reports: readonly StageReport[],
  now: number,
): Promise<Standing[]> => Promise.all(reports.map((report) => standingOf(archiver, report, now)))

/** What the scrub knows after a pass of the migrate stage, for the metrics. */
export const proofAfter = async (
  archiver: Archiver,
  reports: readonly StageReport[],
): Promise<ProofCounts | undefined> => {
  const migrated = reports.find(({ stage }) => stage === 'migrate')
  if (!migrated?.plan) return undefined
  const { plan, outcome } = migrated
  const { failed } = await archiver.peek('migrate')
  const stored = plan.stored.minus(plan.runs)
  const held = (outcome ? stored.union(outcome.succeeded) : stored).minus(failed)
  return proofCounts((await provenOf(archiver).load()).about(held))
}

export const proofCounts = ({ held, compared, oldest, damaged }: ProofFacts): ProofCounts => ({
  compared: compared.size,
  damaged: damaged.size,
  notCompared: held.size - compared.size - damaged.size,
  oldestAt: oldest,
})

const standingOf = async (
  archiver: Archiver,
  { stage, plan, outcome }: StageReport,
  now: number,
): Promise<Standing> => {
  const { state, failed } = await archiver.peek(stage)
  const left = outcome ? outcome.pending : plan?.runs
  const waiting = [...(plan?.waiting.keys() ?? [])]
  const oldest = Math.min(left?.first ?? Infinity, ...waiting.slice(0, 1))
  return {
    stage,
    lastContiguousRun: state.lastContiguousRun,
    lastAttemptedRun: state.lastAttemptedRun,
    sourceHighestRun: plan?.sourceHighest,
    pending: plan && (left?.size ?? 0) + waiting.length + plan.beyond,
    failed: failed.size,
    oldestPendingSeconds: await ageOf(archiver, oldest, now),
  }
}

/** How long ago a run's record changed last, in seconds; by the time of the disk where the record's own is in the future. */
const ageOf = async ({ records }: Archiver, run: number, now: number): Promise<number | undefined> => {
  if (!Number.isFinite(run)) return undefined
  try {
    const { mtimeMs, ctimeMs } = await stat(await records.pathOf(run))
    return Math.max(0, (now - (mtimeMs > now ? ctimeMs : mtimeMs)) / 1000)
  } catch {
    return undefined // its record is gone, or the source is away: the pass itself has reported it
  }
}
