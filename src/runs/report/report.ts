import { compareQueue, queueDiscrepancies, type QueueComparison, type QueueFacts } from './compare-queue.ts'
import { compareStage, type Discrepancy, discrepancies, type StageComparison } from './compare-state.ts'
import { claimedTwice, exactText } from './range-text.ts'
import { RunSet } from '../../common/run-set.ts'
import type { StageState } from '../../state/state-format.ts'

/** What was asked and got an answer, or the reason why not: an unreadable store is never an empty one. */
export type Known<T> =
  { readonly known: true; readonly value: T } | { readonly known: false; readonly reason: string }

export interface SourceFacts {
  readonly runs: RunSet
  readonly ambiguous: RunSet
  /** The folders of the first ambiguous run. */
  readonly claims?: readonly string[]
  /** Entries that are no run records: `lost+found (not a run number)`. */
  readonly ignored: readonly string[]
}

export interface StoreFacts {
  readonly runs: RunSet
  readonly incomplete: RunSet
  readonly notes: readonly string[]
}

/** A stage's state file and failure log. */
export interface MemoryFacts {
  readonly state: StageState
  readonly failed: RunSet
  /** There is no state file. */
  readonly isFirst: boolean
  /** When the state was last saved, epoch milliseconds. */
  readonly savedAt: number | undefined
}

/** Everything that a report is made from. */
export interface ReportFacts {
  /** Epoch milliseconds. */
  readonly now: number
  /** The configuration's path, and the words that start the program, for the commands that are recommended. */
  readonly config: string
  readonly program?: string
  /** Where the stores are, passwords taken out. */
  readonly recordsDirectory: string
  readonly databaseUri: string
  readonly serverUrl: string
  readonly folderAndObject: string
  readonly records: Known<SourceFacts>
  readonly artdaq: Known<StoreFacts>
  readonly archive: Known<StoreFacts>
  readonly import: Known<MemoryFacts>
  readonly migrate: Known<MemoryFacts>
  /** Why runs are pending; only for the first of them. */
  readonly waiting: ReadonlyMap<number, string>
  /** When a pass last ended with exit 0, epoch milliseconds; undefined where none has. */
  readonly lastSuccess: number | undefined
  /** The shared backlog, where one is configured; read before the stores and the files. */
  readonly queue?: Known<QueueFacts> | undefined
  /** What the scrub knows of the archived runs. */
  readonly proof?: ProofFacts | undefined
  /** Archived records that looked damaged when they were archived, with what is wrong. */
  readonly damagedRecords?: ReadonlyMap<number, string>
  /** The files in which passes note what later ones and this report want to know: whether each could be read. */
  readonly notes?: readonly Known<unknown>[]
  /** Disks that have no room left: one sentence each. */
  readonly fullDisks?: readonly string[]
  /** The last pass, where an error ended it. */
  readonly stopped?: StoppedPass | undefined
  /** Why the runs in the failure logs failed, the most frequent cause first. */
  readonly causes?: readonly FailureCause[]
}

/** A pass that an error ended. `at` is epoch milliseconds. */
export interface StoppedPass {
  readonly at: number
  readonly task: string
  readonly reason: string
}

/** Runs that failed for one reason. */
export interface FailureCause {
  readonly stage: 'import' | 'migrate'
  readonly code: string | undefined
  readonly message: string
  readonly runs: RunSet
}

/** Archived runs by when their copies were compared last. */
export interface ProofFacts {
  /** Archived, and waiting for nothing. */
  readonly held: RunSet
  /** Of these, compared at any time, and good. */
  readonly compared: RunSet
  /** The longest ago that one of them was compared, epoch milliseconds. */
  readonly oldest: number | undefined
  /** With what was found. */
  readonly damaged: ReadonlyMap<number, string>
}

/** One stage, where both its stores and its memory could be read. */
export interface StageReport {
  readonly memory: MemoryFacts
  readonly comparison: StageComparison
  readonly discrepancies: readonly Discrepancy[]
  /** Where a shared backlog is configured, and could be read. */
  readonly queue: QueueComparison | undefined
}

export interface Report {
  readonly facts: ReportFacts
  readonly import: Known<StageReport>
  readonly migrate: Known<StageReport>
  /** Between the lowest and the highest run known anywhere, and in none of the three places: never taken, or lost before we saw them. */
  readonly neverSeen: RunSet
  /** What could not be read: one sentence each. Any of them makes the report an error. */
  readonly unreadable: readonly string[]
  readonly discrepancies: readonly Discrepancy[]
}

/** Holds the three places and the two memories against each other. */
export const makeReport = (given: ReportFacts): Report => {
  const facts = doubtEmpty(given)
  const records = mapKnown(facts.records, ({ runs, ambiguous }) => runs.union(ambiguous))
  const artdaq = mapKnown(facts.artdaq, ({ runs }) => runs)
  const archive = mapKnown(facts.archive, ({ runs }) => runs)
  const imports = stageReport('import', records, artdaq, facts)
  const migrates = stageReport('migrate', artdaq, archive, facts)
  const everywhere = [records, artdaq, archive].reduce(
    (runs, place) => (place.known ? runs.union(place.value) : runs),
    RunSet.EMPTY,
  )
  return {
    facts,
    import: imports,
    migrate: migrates,
    neverSeen: everywhere.gaps,
    unreadable: [
      unread('run records', facts.records),
      unread('artdaqDB', facts.artdaq),
      unread('UconDB', facts.archive),
      unread('import state', facts.import),
      unread('migration state', facts.migrate),
      facts.queue && unread('queue', facts.queue),
      ...(facts.notes ?? []).map((file) => unread('notes', file)),
    ].filter((text) => text !== undefined),
    discrepancies: [
      ...storeDiscrepancies(facts),
      ...(imports.known ? imports.value.discrepancies : []),
      ...(migrates.known ? migrates.value.discrepancies : []),
    ],
  }
}

/** What is empty while the place behind it is not looks like a disk that is not mounted: it is not known. */
const doubtEmpty = (facts: ReportFacts): ReportFacts => {
  const { records, artdaq, archive } = facts
  const doubt = (what: string): { known: false; reason: string } => ({
    known: false,
    reason: `${what}: is the disk mounted?`,
  })
  const noRecords = records.known && records.value.runs.union(records.value.ambiguous).isEmpty
  const noDocuments = artdaq.known && artdaq.value.runs.union(artdaq.value.incomplete).isEmpty
  return {
    ...facts,
    records:
      noRecords && artdaq.known && !noDocuments
        ? doubt('the run record directory is empty, and artdaqDB is not')
        : records,
    artdaq:
      noDocuments && archive.known && !archive.value.runs.isEmpty
        ? doubt('artdaqDB is empty, and UconDB is not')
        : artdaq,
  }
}

const stageReport = (
  stage: 'import' | 'migrate',
  source: Known<RunSet>,
  stored: Known<RunSet>,
  facts: ReportFacts,
): Known<StageReport> => {
  const memory = facts[stage]
  if (!memory.known) return memory
  if (!source.known) return source
  if (!stored.known) return stored
  const { state, failed } = memory.value
  const comparison = compareStage({ source: source.value, stored: stored.value, state, failed })
  const backlog = facts.queue?.known ? facts.queue.value : undefined
  const beside = {
    source: source.value,
    stored: stored.value,
    failureLog: failed,
    notReady: stage === 'import' ? RunSet.of(facts.waiting.keys()) : RunSet.EMPTY,
    lastAttemptedRun: state.lastAttemptedRun,
  }
  const queue = backlog && compareQueue(backlog[stage], beside)
  return {
    known: true,
    value: {
      memory: memory.value,
      comparison,
      queue,
      discrepancies: [
        ...discrepancies(stage, comparison, state),
        ...(queue
          ? queueDiscrepancies(stage, queue, beside, { running: backlog.running, config: facts.config })
          : []),
      ],
    },
  }
}

const storeDiscrepancies = ({ records, artdaq, archive, proof }: ReportFacts): readonly Discrepancy[] => {
  const found: Discrepancy[] = []
  const add = (runs: RunSet, text: string, command: string): void => {
    if (!runs.isEmpty) found.push({ text: `${runs.size} run(s) ${text} (${exactText(runs)})`, command })
  }
  if (records.known && !records.value.ambiguous.isEmpty)
    found.push({
      kind: 'ambiguous',
      text: claimedTwice(records.value.ambiguous),
      command: 'rename one of the two',
    })
  if (artdaq.known) add(artdaq.value.incomplete, 'are in artdaqDB only in part', '--import-only')
  if (archive.known) add(archive.value.incomplete, 'are in UconDB only in part', '--migrate-only')
  const damaged = RunSet.of(proof?.damaged.keys() ?? [])
  add(damaged, 'are damaged in one of their copies', `diff ${damaged.first ?? 'RUN'}`)
  return found
}

const mapKnown = <T, R>(known: Known<T>, map: (value: T) => R): Known<R> =>
  known.known ? { known: true, value: map(known.value) } : known

const unread = (what: string, known: Known<unknown>): string | undefined =>
  known.known ? undefined : `${what}: ${known.reason.replace(`${what}: `, '')}`
