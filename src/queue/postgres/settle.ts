import type { StoredClaim, StoredFailure } from '../../engine/claim-store.ts'
import { byStage, refused } from './by-stage.ts'
import { settleFailed, type Work } from './claims.ts'
import { count, enqueueNext } from './enqueue.ts'
import { countFailed } from './instance-row.ts'
import { settleDone } from './settle-done.ts'

/** Records results in the caller's transaction, and adds what is done to the next stage. Returns the claims that were no longer ours. */
export const settle = async (
  work: Work,
  done: readonly StoredClaim[],
  failed: readonly StoredFailure[],
  nextStage: string | undefined,
): Promise<readonly StoredClaim[]> => {
  const lost = await refused(done, (these) => settleDone(work, these))
  const failures = failed.map(({ claim }) => claim)
  const lostFailures = await refused(failures, (these) =>
    settleFailed(
      work,
      failed.filter(({ claim }) => these.includes(claim)),
    ),
  )
  if (nextStage !== undefined) {
    const gone = new Set(lost)
    const accepted = done.filter((one) => !gone.has(one))
    await enqueueNext(work, nextStage, accepted)
  }
  const failedHere = failures.filter((one) => !lostFailures.includes(one))
  for (const [stage, these] of byStage(failedHere)) await count(work, stage, { failed: these.length })
  if (failures.length > 0) await countFailed(work, failedHere.length, lostFailures.length)
  return [...lost, ...lostFailures]
}
