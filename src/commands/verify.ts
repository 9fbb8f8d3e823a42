import { counted } from '../common/counted.ts'
import type { Listing, SourceListing } from '../stores/store.ts'
import type { RunSet } from '../common/run-set.ts'
import { ArchiverError } from '../errors.ts'
import { type RunComparison, shownOf } from '../runs/verify/compare-run.ts'
import { compareRuns } from '../runs/verify/compare-runs.ts'
import { subcommand } from '../common/own-command.ts'
import { type Context, startedAs, stopCode, untilStopped } from '../app/context.ts'
import { runsOf } from './run-options.ts'
import { openArchiver } from '../app/open-archiver.ts'
import { withUnlisted } from '../runs/unlisted-blobs.ts'
import type { Archiver } from '../runs/archiver.ts'

interface Options {
  readonly config: string
  readonly json?: boolean
  readonly runs?: string
  readonly sample?: string
}

/**
 * `run-archiver verify`: reads every archived run back from all three places and compares contents. Writes nothing. Exit 1 and the runs by name when
 * - a copy is damaged, or two copies differ,
 * - a run is there only in part,
 * - a run of `--runs` is in no destination,
 * - the archive has a blob in a place that no reader looks at.
 */
export const verify = untilStopped<Options>(async (options, context) => {
  const share = options.sample === undefined ? 1 : shareOf(options.sample)
  const archiver = await openArchiver(options.config, context)
  return await archiver.threads.during(context.signal, () => verifyHeld(archiver, options, share, context))
})

const verifyHeld = async (
  archiver: Archiver,
  options: Options,
  share: number,
  context: Context,
): Promise<number> => {
  const held = await heldRuns(archiver, options.runs === undefined ? share : 0)
  const all = held.documents.union(held.blobs)
  const asked = options.runs === undefined ? all.union(held.incomplete) : runsOf(options.runs)
  const incomplete = asked.intersect(held.incomplete)
  const missing = asked.minus(all).minus(incomplete)
  const single = asked.intersect(held.documents).minus(held.blobs).minus(incomplete)
  const runs = sampleOf([...asked.intersect(all)], share)
  const misplaced = options.runs === undefined ? held.misplaced : []
  const bad: RunComparison[] = []
  let places = 0
  archiver.threads.expectComparisons(runs.length)
  for await (const comparison of compareRuns(archiver, runs, context.signal)) {
    const { run, record, artdaq, archive, differences } = comparison
    places += [record, artdaq, archive].filter((is) => is === 'present').length
    if (differences.length === 0) continue
    bad.push(shownOf(comparison))
    if (!options.json)
      context.out(`Run ${run}:\n${differences.map((difference) => `  ${difference}\n`).join('')}`)
  }
  if (context.signal.aborted) return stopCode(context.signal)
  if (options.json)
    context.out(
      `${JSON.stringify({ verified: runs.length, copies: places, of: all.size, incomplete: incomplete.toString(), not_in_archive: single.toString(), missing: missing.toString(), misplaced, bad }, null, 2)}\n`,
    )
  else {
    context.out(
      `Verified ${runs.length} of ${counted(all.size, 'archived run')}, ${places} copies read back: ${bad.length} with differences\n`,
    )
    if (!incomplete.isEmpty) context.out(`  there only in part: ${incomplete.toString()}\n`)
    if (!single.isEmpty) context.out(`  in artdaqDB and not in the archive: ${single.toString()}\n`)
    if (!missing.isEmpty) context.out(`  neither in artdaqDB nor in the archive: ${missing.toString()}\n`)
    if (misplaced.length > 0)
      context.out(`  in the archive where no reader looks for it: ${misplaced.join(', ')}\n`)
    if (bad[0])
      context.out(`  look closer: ${subcommand(startedAs(context, options.config), `diff ${bad[0].run}`)}\n`)
  }
  return bad.length > 0 || !missing.isEmpty || !incomplete.isEmpty || misplaced.length > 0 ? 1 : 0
}

interface Held {
  /** Whole. */
  readonly documents: RunSet
  readonly blobs: RunSet
  /** In either place in part. */
  readonly incomplete: RunSet
  /** Paths in the archive. */
  readonly misplaced: readonly string[]
}

/** Every run that one of the destinations holds. `share`: of how many of them the caller is going to compare. */
const heldRuns = async ({ artdaq, archive, records, threads }: Archiver, share: number): Promise<Held> => {
  const documents: Listing = await artdaq.list()
  threads.expectComparisons(documents.runs.size * share)
  const blobs: Listing = await withUnlisted(archive, documents, await archive.list())
  // An unmounted record directory would make every comparison pass for want of anything to compare with.
  const source: SourceListing = await records.list()
  const incomplete = documents.incomplete.union(blobs.incomplete)
  const isHeld = !documents.runs.union(blobs.runs).union(incomplete).isEmpty
  if (source.runs.isEmpty && isHeld)
    throw new ArchiverError(
      'SOURCE_UNAVAILABLE',
      'the run record directory is empty, and runs are archived',
      { hint: 'Is the disk of source_files.run_records_dir mounted?' },
    )
  return { documents: documents.runs, blobs: blobs.runs, incomplete, misplaced: blobs.misplaced ?? [] }
}

/** So many of the runs, each as likely as another; one at least, where there is one: a sample of none would prove nothing. */
const sampleOf = (runs: readonly number[], share: number): readonly number[] => {
  const sample = runs.filter(() => share === 1 || Math.random() < share)
  return sample.length > 0 ? sample : runs.slice(Math.floor(Math.random() * runs.length)).slice(0, 1)
}

/** `5%` or `5`: the share of runs to look at, 0 to 1. */
const shareOf = (text: string): number => {
  const percent = Number(/^(\d+(?:\.\d+)?)%?$/.exec(text)?.[1])
  if (!(percent > 0 && percent <= 100))
    throw new ArchiverError(
      'USAGE',
      `--sample: "${text}" is not a percentage above 0 and up to 100, such as 5%`,
    )
  return percent / 100
}
