import { RunSet } from '../common/run-set.ts'
import type { StageName } from '../common/stage-name.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import { now } from '../platform/host.ts'
import type { Archiver } from '../runs/archiver.ts'
import { recommendations } from '../runs/report/advice.ts'
import { makeReport, type MemoryFacts, type ReportFacts } from '../runs/report/report.ts'
import { lastSuccessAt } from '../tracking/last-success.ts'
import type { Known, MissingPlace, RunsSnapshot, StageMarks } from '../web/model.ts'
import { runMap } from '../web/runs/run-map.ts'

/** The three places, as pages name them. */
const PLACES = ['run records', 'artdaqDB', 'UconDB']

/** What each place held when it was last read. */
export type Remembered = Map<string, { readonly at: number; readonly runs: RunSet }>

/** Facts of the report in the words of the pages. A place that cannot be read now is drawn as it was last seen. */
export const snapshotOf = (facts: ReportFacts, remembered: Remembered = new Map()): RunsSnapshot => {
  const report = makeReport(facts)
  const { records, artdaq, archive, waiting } = report.facts
  const missing: MissingPlace[] = []
  const setOf = (place: string, runs: RunSet | undefined): RunSet => {
    if (runs) remembered.set(place, { at: facts.now, runs })
    const last = remembered.get(place)
    if (!runs) missing.push({ place, shownFrom: last?.at })
    return last?.runs ?? RunSet.EMPTY
  }
  const runsOf = (known: Known<{ readonly runs: RunSet }>): Known<RunSet> =>
    known.known ? { known: true, value: known.value.runs } : known
  const imports = marksOf(facts.import)
  const migrate = marksOf(facts.migrate)
  return {
    at: facts.now,
    isListing: false,
    map: runMap({
      records: setOf(
        'run records',
        records.known ? records.value.runs.union(records.value.ambiguous) : undefined,
      ),
      artdaq: setOf('artdaqDB', artdaq.known ? artdaq.value.runs : undefined),
      archive: setOf('UconDB', archive.known ? archive.value.runs : undefined),
      failed: failedOf(imports).union(failedOf(migrate)),
      waiting: RunSet.of(waiting.keys()),
    }),
    records: runsOf(records),
    artdaq: runsOf(artdaq),
    archive: runsOf(archive),
    import: imports,
    migrate,
    waiting,
    lastSuccess: facts.lastSuccess,
    proof: facts.proof,
    advice: recommendations(report),
    unreadable: report.unreadable,
    missing,
  }
}

const marksOf = (memory: Known<Pick<MemoryFacts, 'state' | 'failed'>>): Known<StageMarks> =>
  memory.known
    ? {
        known: true,
        value: {
          contiguous: memory.value.state.lastContiguousRun,
          attempted: memory.value.state.lastAttemptedRun,
          failed: memory.value.failed,
        },
      }
    : memory

const failedOf = (marks: Known<StageMarks>): RunSet => (marks.known ? marks.value.failed : RunSet.EMPTY)

/** A snapshot of places that cannot be listed any more, and why: each is drawn as it was when it was last read. */
export const unreadSnapshot = (
  last: RunsSnapshot,
  remembered: Remembered,
  trouble: string,
): RunsSnapshot => ({
  ...last,
  unreadable: [...last.unreadable, trouble],
  missing: PLACES.map((place) => ({ place, shownFrom: remembered.get(place)?.at })),
})

/**
 * What is known before the places were listed for the first time: what each stage remembers, and when a pass last ended well. With `trouble`, why
 * they cannot be listed; without it, they are being listed.
 */
export const unlistedSnapshot = async (archiver: Archiver, trouble?: string): Promise<RunsSnapshot> => {
  const [imports, migrate, lastSuccess] = await Promise.all([
    marksOfStage(archiver, 'import'),
    marksOfStage(archiver, 'migrate'),
    lastSuccessAt(archiver.config.app.workDir),
  ])
  const empty = RunSet.EMPTY
  const failed = failedOf(imports).union(failedOf(migrate))
  const unlisted = { known: false, reason: trouble ?? 'it is being listed' } as const
  return {
    at: now(),
    isListing: trouble === undefined,
    map: runMap({ records: empty, artdaq: empty, archive: empty, failed, waiting: empty }),
    records: unlisted,
    artdaq: unlisted,
    archive: unlisted,
    import: imports,
    migrate,
    waiting: new Map(),
    lastSuccess,
    proof: undefined,
    advice: [],
    unreadable: trouble === undefined ? [] : [trouble],
    missing: PLACES.map((place) => ({ place, shownFrom: undefined })),
  }
}

const marksOfStage = async (archiver: Archiver, stage: StageName): Promise<Known<StageMarks>> => {
  try {
    return marksOf({ known: true, value: await archiver.peek(stage) })
  } catch (error) {
    if (error instanceof ArchiverError) return { known: false, reason: messageOf(error) }
    throw error
  }
}
