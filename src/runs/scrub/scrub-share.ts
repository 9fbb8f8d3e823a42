import { RunSet } from '../../common/run-set.ts'
import { ArchiverError, messageWithCode } from '../../errors.ts'
import { monotonic, now } from '../../platform/host.ts'
import type { Archiver } from '../archiver.ts'
import type { StageReport } from '../pass.ts'
import { provenOf } from './proven.ts'
import { scrub } from './scrub.ts'

export interface ScrubConditions {
  readonly stop: AbortSignal
  warn(message: string): void
  /** Called with the runs that were found damaged, and what was found. */
  damaged(found: ReadonlyMap<number, string>): void
  /** Called after each run, for whoever watches that work goes on. */
  alive?(): void
}

/**
 * After a pass: notes what it migrated as compared, and compares archived runs for a share of the time that it took (`scrub.share`), one at least.
 * Returns a sentence for each damaged run. A store that is away, or a file that cannot be written, is a warning: the pass has done its work.
 */
export const scrubShare = async (
  archiver: Archiver,
  reports: readonly StageReport[],
  took: number,
  conditions: ScrubConditions,
): Promise<readonly string[]> => {
  const migrated = reports.find(({ stage }) => stage === 'migrate')
  const { share } = archiver.config.scrub
  if (!migrated?.plan || !migrated.outcome || conditions.stop.aborted) return []
  const { plan, outcome } = migrated
  const damaged = new Map<number, string>()
  try {
    const proven = await provenOf(archiver).load()
    proven.good(outcome.succeeded, now())
    // A run in the failure log is not archived: what stands at its key is what it failed for.
    const { failed } = await archiver.peek('migrate')
    const held = plan.stored.minus(plan.runs).minus(RunSet.of(outcome.failed)).minus(failed)
    const scrubbed =
      share === 0
        ? undefined
        : await scrub(archiver, proven, {
            held,
            budget: took * share,
            least: 1,
            signal: conditions.stop,
            monotonic,
            now,
            compared: (run, damage) => {
              if (damage !== undefined) damaged.set(run, damage)
              conditions.alive?.()
            },
          })
    if (!outcome.succeeded.isEmpty || (scrubbed?.compared ?? 0) > 0) await proven.save()
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    conditions.warn(`the scrub did not go on: ${messageWithCode(error)}`)
  }
  // What was found was found, whatever kept the scrub from going on or from noting it.
  if (damaged.size > 0) conditions.damaged(damaged)
  return [...damaged].map(([run, reason]) => damageText(run, reason))
}

export const damageText = (run: number, reason: string): string =>
  `DAMAGED: run ${run}: ${reason.replace(`run ${run}: `, '')} (run-archiver diff ${run} shows more)`
