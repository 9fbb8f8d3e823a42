import { RunSet } from '../../common/run-set.ts'
import { ArchiverError, messageWithCode } from '../../errors.ts'
import { monotonic, now } from '../../platform/host.ts'
import type { Archiver } from '../archiver.ts'
import type { Plan } from '../plan.ts'
import { damageText, type ScrubConditions } from './scrub-share.ts'
import { provenOf } from './proven.ts'
import { scrub } from './scrub.ts'

/** A daemon that slept for longer (a suspended machine) does not make up for it at once, milliseconds. */
const LONGEST_IDLE = 3_600_000
/** A run that comes meanwhile waits for the end of the turn, milliseconds. */
const LONGEST_TURN = 30_000

/** The scrub of a daemon, or of the worker that leads, that has nothing to archive: `scrub.share` of the time since it last had its turn. */
export class IdleScrub {
  #since = monotonic()
  /** Milliseconds that it may take; below 0 after a run that took longer than its share. */
  #owed = 0

  /**
   * Compares runs that were compared longest ago, as far as the share goes. Logs what was not known to be damaged. A store that is away, or a file
   * that cannot be written, is a warning. `migrated`: runs that were compared when they were migrated, and are to be noted.
   */
  async turn(
    archiver: Archiver,
    plans: readonly Plan[],
    conditions: ScrubConditions,
    migrated = RunSet.EMPTY,
  ): Promise<void> {
    const began = monotonic()
    this.#owed += Math.min(began - this.#since, LONGEST_IDLE) * archiver.config.scrub.share
    this.#since = began
    const plan = plans.find(({ stage }) => stage === 'migrate')
    const isDue = this.#owed > 0
    if (!plan || (!isDue && migrated.isEmpty) || conditions.stop.aborted) return
    const fresh = new Map<number, string>()
    try {
      const proven = await provenOf(archiver).load()
      const known = new Set(proven.damaged.keys())
      proven.good(migrated, now())
      const { failed } = await archiver.peek('migrate')
      const held = isDue ? plan.stored.minus(plan.runs).minus(failed) : RunSet.EMPTY
      const { compared } = await scrub(archiver, proven, {
        held,
        budget: Math.min(this.#owed, LONGEST_TURN),
        least: 1,
        signal: conditions.stop,
        monotonic,
        now,
        compared: (run, damage) => {
          if (damage !== undefined && !known.has(run)) fresh.set(run, damage)
          conditions.alive?.()
        },
      })
      if (compared > 0 || !migrated.isEmpty) await proven.save()
    } catch (error) {
      if (!(error instanceof ArchiverError)) throw error
      conditions.warn(`the scrub did not go on: ${messageWithCode(error)}`)
    }
    for (const [run, reason] of fresh) conditions.warn(damageText(run, reason))
    if (fresh.size > 0) conditions.damaged(fresh)
    // What it took counts, also where it failed: then it waits for its share again.
    this.#owed -= monotonic() - began
  }
}
