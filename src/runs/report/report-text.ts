import type {
  Known,
  MemoryFacts,
  ProofFacts,
  Report,
  SourceFacts,
  StageReport,
  StoreFacts,
} from './report.ts'
import { RULE, rangesText, runsText, exactText, THIN_RULE } from './range-text.ts'
import type { QueueComparison } from './compare-queue.ts'
import { recommendations } from './advice.ts'
import { counted } from '../../common/counted.ts'
import { RunSet } from '../../common/run-set.ts'
import { ageText } from '../../common/duration.ts'

/** At most so many runs are given a reason each. */
const REASONS = 10

/**
 * The status report as the Python original prints it, the state comparison where it was asked for, and
 * lines of our own below the original's in each section.
 */
export const reportLines = (
  report: Report,
  { compareState }: { readonly compareState: boolean },
): string[] => [
  RULE,
  'RUN RECORD ARCHIVER - STATUS REPORT',
  RULE,
  'Querying data sources...',
  queried('Filesystem', report.facts.records),
  queried('ArtdaqDB', report.facts.artdaq),
  queried('UconDB', report.facts.archive),
  ...(report.facts.queue ? [queried('Queue', report.facts.queue)] : []),
  '',
  ...heading('DATA SOURCE SUMMARY'),
  ...sourceSummary(report),
  ...artdaqSummary(report),
  ...archiveSummary(report),
  ...successLine(report.facts.lastSuccess, report.facts.now),
  ...(compareState ? stateComparison(report) : []),
  ...heading('RECOMMENDATIONS'),
  ...recommendations(report).flatMap(({ text, command }, i) => [
    `${i + 1}. ${text}`,
    ...(command === undefined ? [] : [`   ${command}`]),
  ]),
  '',
  RULE,
  'END OF STATUS REPORT',
  RULE,
]

const heading = (title: string): string[] => [RULE, title, RULE]
const section = (title: string): string[] => ['', title, THIN_RULE]
const line = (label: string, text: string | number): string => `  ${`${label}:`.padEnd(16)} ${text}`
const stateLine = (label: string, text: string | number): string => `  ${`${label}:`.padEnd(20)} ${text}`
const lineOf = (label: string, runs: RunSet, text: string): string[] =>
  runs.isEmpty ? [] : [stateLine(label, text)]

const queried = (place: string, known: Known<unknown>): string =>
  known.known ? `✓ ${place} query complete` : `✗ ${place} query failed: ${known.reason}`

const sets = (runs: RunSet): string[] => [
  line('Total Runs', runs.size),
  ...(runs.isEmpty
    ? []
    : [
        line('Range', `${runs.first ?? 0} to ${runs.last ?? 0}`),
        line('Contiguous', rangesText(runs)),
        line('Gaps', runsText(runs.gaps, 'gaps')),
      ]),
]

const place = <T extends { readonly runs: RunSet }>(
  known: Known<T>,
  more: (value: T) => string[],
): string[] =>
  known.known
    ? [...sets(known.value.runs), ...more(known.value)]
    : [line('Status', `UNAVAILABLE: ${known.reason}`)]

const sourceSummary = ({ facts, neverSeen }: Report): string[] => [
  ...section('FILESYSTEM (Source)'),
  line('Location', facts.recordsDirectory),
  ...place<SourceFacts>(facts.records, ({ ambiguous, ignored }) => [
    ...(neverSeen.isEmpty
      ? []
      : [line('Never Taken', `${runsText(neverSeen)} (in none of the three places)`)]),
    ...(ambiguous.isEmpty
      ? []
      : [line('Ambiguous', `${runsText(ambiguous)} (two folders each; rename one)`)]),
    ...(ignored.length === 0 ? [] : [line('Ignored', firstOf(ignored, 'entries that are no run records'))]),
  ]),
]

const artdaqSummary = ({ facts }: Report): string[] => [
  ...section('ARTDAQDB (Intermediate Storage)'),
  line('Database URI', facts.databaseUri),
  ...place(facts.artdaq, storeLines),
]

const archiveSummary = ({ facts }: Report): string[] => [
  ...section('UCONDB (Long-term Storage)'),
  line('Server URL', facts.serverUrl),
  line('Folder/Object', facts.folderAndObject),
  ...place(facts.archive, storeLines),
  ...(facts.proof && !facts.proof.held.isEmpty ? [line('Compared', proofText(facts.proof, facts.now))] : []),
  '',
]

const DAY = 86_400_000

/** Of so many damaged runs the report says what is damaged. */
const DAMAGES = 5

const proofText = ({ held, compared, oldest, damaged }: ProofFacts, now: number): string => {
  const never = held.minus(compared).minus(RunSet.of(damaged.keys()))
  const others = RunSet.of([...damaged.keys()].slice(DAMAGES))
  const days = oldest === undefined ? undefined : Math.floor(Math.max(0, now - oldest) / DAY) + 1
  const within = days === undefined ? '' : ` within ${counted(days, 'day')}`
  return [
    never.isEmpty && damaged.size === 0
      ? `every archived run${within}`
      : `${compared.size} of ${counted(held.size, 'archived run')}${within}`,
    ...(never.isEmpty ? [] : [`${never.size} held, not yet compared (${runsText(never)})`]),
    ...[...damaged].slice(0, DAMAGES).map(([run, reason]) => `run ${run} is DAMAGED: ${reason}`),
    ...(others.isEmpty
      ? []
      : [`and ${others.size} more ${others.size === 1 ? 'is' : 'are'} DAMAGED (${runsText(others)})`]),
  ].join('; ')
}

const storeLines = ({ incomplete, notes }: StoreFacts): string[] => [
  ...(incomplete.isEmpty ? [] : [line('Incomplete', `${runsText(incomplete)} (stored in part)`)]),
  ...(notes.length === 0 ? [] : [line('Notes', firstOf(notes, 'notes'))]),
]

const firstOf = (texts: readonly string[], what: string): string =>
  `${texts.slice(0, 5).join('; ')}${texts.length > 5 ? ` ... (${texts.length} ${what})` : ''}`

const stateComparison = (report: Report): string[] => [
  ...heading('STATE COMPARISON'),
  ...section('IMPORT STAGE STATE'),
  ...stageLines(report.import, { recorded: 'import', stage: 'import', destination: 'ArtdaqDB' }, report),
  ...section('MIGRATION STAGE STATE'),
  ...stageLines(report.migrate, { recorded: 'migration', stage: 'migrate', destination: 'UconDB' }, report),
  '',
]

interface StageWords {
  readonly recorded: string
  readonly stage: 'import' | 'migrate'
  readonly destination: string
}

const stageLines = (known: Known<StageReport>, words: StageWords, { facts }: Report): string[] => {
  if (!known.known) return [stateLine('Status', `NOT KNOWN: ${known.reason}`)]
  const { memory, comparison } = known.value
  const { missing, fresh, late, failed, stale, gone, contiguous } = comparison
  return [
    stateLine('Last Contiguous Run', memory.state.lastContiguousRun),
    stateLine('Last Attempted Run', memory.state.lastAttemptedRun),
    ...(memory.isFirst ? [stateLine('Status', `No ${words.recorded} state recorded`)] : []),
    ...(contiguous === memory.state.lastContiguousRun
      ? []
      : [stateLine('Actual Contiguous', `${contiguous} (from ${words.destination})`)]),
    ...lineOf(
      `Missing in ${words.destination}`,
      missing,
      ` ${missing.size} run(s) before last contiguous (${runsText(missing)})`,
    ),
    ...lineOf(
      'New Runs Available',
      fresh,
      `${fresh.size} run(s) since last state update (range: ${exactText(fresh)})`,
    ),
    ...lineOf('Late Runs', late, `${late.size} run(s) below the last attempted (${runsText(late)})`),
    ...lineOf('Failed Runs', failed, `${failed.size} run(s) logged as failed (${runsText(failed)})`),
    ...lineOf(
      'Stale Failures',
      stale,
      `${stale.size} run(s) logged as failed, and listed in ${words.destination} (${runsText(stale)})`,
    ),
    ...lineOf(
      'Gone Failures',
      gone,
      `${gone.size} run(s) logged as failed and on no source (${runsText(gone)})`,
    ),
    ...queueLines(known.value.queue, words),
    ...(words.stage === 'import' ? reasonLines(fresh.union(late), facts.waiting) : []),
    ...savedLine(memory, facts.now),
  ]
}

const queueLines = (queue: QueueComparison | undefined, { stage, destination }: StageWords): string[] => {
  if (!queue) return []
  const { queued, unstored, unlogged, unqueued, unsettled, unknown } = queue
  const { pending, claimed, done, failed } = queued
  const halted = queued.paused ? '; paused' : queued.blockedReason ? `; waits: ${queued.blockedReason}` : ''
  const runs = (set: RunSet, text: string): string => `${set.size} run(s) ${text} (${runsText(set)})`
  return [
    stateLine(
      'Queue',
      `${pending.size} pending, ${claimed.size} claimed, ${done.size} done, ${failed.size} failed; attempted up to ${queued.attemptedUpTo}${halted}`,
    ),
    ...lineOf('Queue, Not Stored', unstored, runs(unstored, `done in the queue, and not in ${destination}`)),
    ...lineOf(
      'Queue, Not Logged',
      unlogged,
      runs(unlogged, 'failed in the queue, and not in the failure log'),
    ),
    ...lineOf(
      'Logged, Not Queue',
      unqueued,
      runs(unqueued, `in the ${stage} failure log, and not failed in the queue`),
    ),
    ...lineOf(
      'Stored, Not Settled',
      unsettled,
      runs(unsettled, `in ${destination}, and still open in the queue`),
    ),
    ...lineOf('Not In Queue', unknown, runs(unknown, 'to be done: the next scan of a worker adds them')),
  ]
}

const reasonLines = (pending: RunSet, waiting: ReadonlyMap<number, string>): string[] => {
  const reasons = [...waiting].filter(([run]) => pending.has(run))
  return [
    ...reasons.slice(0, REASONS).map(([run, reason]) => stateLine('Not Ready', `run ${run}: ${reason}`)),
    ...(reasons.length > REASONS ? [stateLine('Not Ready', `and ${reasons.length - REASONS} more`)] : []),
  ]
}

const successLine = (success: number | undefined, now: number): string[] =>
  success === undefined
    ? []
    : [line('Last Success', `${new Date(success).toISOString()} (${ageText(now - success)} ago)`), '']

const savedLine = ({ savedAt }: MemoryFacts, now: number): string[] =>
  savedAt === undefined
    ? []
    : [stateLine('State Saved', `${new Date(savedAt).toISOString()} (${ageText(now - savedAt)} ago)`)]
