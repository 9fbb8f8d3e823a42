import { counted } from '../common/counted.ts'
import { RunSet } from '../common/run-set.ts'
import { listedSince } from '../runs/listings.ts'
import { withUnlisted } from '../runs/unlisted-blobs.ts'
import { ArchiverError } from '../errors.ts'
import { monotonic, now } from '../platform/host.ts'
import { completeCommands } from '../common/own-command.ts'
import { startedAs, stopCode, untilStopped } from '../app/context.ts'
import { openArchiver } from '../app/open-archiver.ts'
import { damageText } from '../runs/scrub/scrub-share.ts'
import { provenOf } from '../runs/scrub/proven.ts'
import { provable, scrub as scrubRuns } from '../runs/scrub/scrub.ts'
import { runsOf } from './run-options.ts'

interface Options {
  readonly config: string
  readonly json?: boolean
  readonly for?: string
  readonly runs?: string
}

/** What was compared is saved so often, milliseconds: a stop costs no more. */
const SAVE_EVERY = 5000

/**
 * `run-archiver scrub`: compares archived runs with their copies now, longest ago first, and notes when. Takes no lock, changes no store. Exit 1 when
 * a run is damaged. Throws where a store cannot be read, and NOT_FOUND where none of the runs that are named is archived.
 */
export const scrub = untilStopped<Options>(async (options, context) => {
  const budget = options.for === undefined ? Infinity : durationOf(options.for)
  const began = monotonic()
  const archiver = await openArchiver(options.config, context)
  // As for the scrub of a pass: every run that is chosen is read and compared whole all the same.
  const listings = listedSince(archiver)
  // The comparison finds the folder of a run by this listing. Where records cannot be listed, it meets the same error.
  await listings.records().catch(() => undefined)
  const documents = await listings.artdaq()
  const held = provable(
    documents,
    await withUnlisted(archiver.archive, documents, await listings.archive()),
    (await archiver.peek('migrate')).failed,
  )
  const chosen = options.runs === undefined ? held : held.intersect(runsOf(options.runs))
  if (options.runs !== undefined && chosen.isEmpty)
    throw new ArchiverError(
      'NOT_FOUND',
      `no run of ${options.runs} is archived: there is nothing to compare`,
      {
        hint: 'run-archiver --report-status names what is archived',
      },
    )
  const proven = await provenOf(archiver).load()
  let savedAt = monotonic()
  let saving = Promise.resolve()
  const result = await archiver.threads.during(context.signal, () => {
    archiver.threads.expectComparisons(chosen.size)
    return scrubRuns(archiver, proven, {
      severalAtOnce: true,
      held: chosen,
      budget: budget - (monotonic() - began),
      least: 1,
      signal: context.signal,
      monotonic,
      now,
      compared: (run, damage) => {
        if (damage !== undefined && !options.json)
          context.out(`${completeCommands(damageText(run, damage), startedAs(context, options.config))}\n`)
        if (monotonic() - savedAt < SAVE_EVERY) return
        savedAt = monotonic()
        saving = saving.then(() => proven.save())
        saving.catch(() => undefined) // it is thrown at the end, when what was found is said
      },
    })
  })
  const saved = saving.then(() => proven.save())
  saved.catch(() => undefined)
  if (context.signal.aborted) {
    await saved
    return stopCode(context.signal)
  }
  const never = held.minus(proven.runs).minus(RunSet.of(proven.damaged.keys())).size
  const value = {
    compared: result.compared,
    of: held.size,
    never_compared: never,
    damaged: [...result.damaged].map(([run, reason]) => ({ run, reason })),
  }
  context.out(
    options.json
      ? `${JSON.stringify(value, null, 2)}\n`
      : `Compared ${result.compared} of ${counted(held.size, 'archived run')}: ${result.damaged.size} damaged; ${never} never compared\n`,
  )
  await saved
  return result.damaged.size > 0 ? 1 : 0
})

/** `10m`, `1h30m` or plain seconds, as milliseconds. */
const durationOf = (text: string): number => {
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?$/.exec(text)
  if (!match || text === '')
    throw new ArchiverError('USAGE', `--for: "${text}" is not a duration such as 10m`)
  const [hours = 0, minutes = 0, seconds = 0] = match
    .slice(1)
    .map((part: string | undefined) => Number(part ?? 0))
  return ((hours * 60 + minutes) * 60 + seconds) * 1000
}
