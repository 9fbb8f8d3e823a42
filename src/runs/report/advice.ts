import { archivedDamagedRecords, damagedRecords } from './damaged-records.ts'
import { passCommand, shellWord, subcommand, type Started } from '../../common/own-command.ts'
import { RunSet } from '../../common/run-set.ts'
import type { Discrepancy } from './compare-state.ts'
import { claimedTwice, exactText } from './range-text.ts'
import type { FailureCause, MemoryFacts, Report, ReportFacts } from './report.ts'

/** What an operator can do, and the exact command where one does it. */
export interface Advice {
  readonly text: string
  readonly command?: string
}

/** Groups of causes that are named. */
const CAUSES = 5

/**
 * What keeps every command from helping comes first: a place that cannot be read, a full disk, what stopped the last pass, names that claim one run.
 * Then the original's recommendations in its order and words, each with its command; then ours.
 */
export const recommendations = (report: Report): readonly Advice[] => {
  const { facts, discrepancies } = report
  const started: Started = { program: facts.program ?? 'run-archiver', config: facts.config }
  const records = facts.records.known ? facts.records.value.runs : undefined
  const artdaq = facts.artdaq.known ? facts.artdaq.value.runs : undefined
  const archive = facts.archive.known ? facts.archive.value.runs : undefined
  const waiting = RunSet.of(facts.waiting.keys())
  const ambiguous = facts.records.known ? facts.records.value.ambiguous : RunSet.EMPTY
  // "run(s)" is the Python original's: operators' scripts look for its lines.
  const advice = [
    ...obstacles(report, started),
    ...difference(records?.minus(waiting), artdaq, (runs) => ({
      text: `Run IMPORTER: ${runs.size} run(s) on filesystem not in artdaqDB (range: ${exactText(runs)})`,
      command: passCommand(started, `--import-only${only(runs, facts.import)}`),
    })),
    ...difference(artdaq, archive, (runs) => ({
      text: `Run MIGRATOR: ${runs.size} run(s) in artdaqDB not in UconDB (range: ${exactText(runs)})`,
      command: passCommand(started, `--migrate-only${only(runs, facts.migrate)}`),
    })),
    ...difference(artdaq, records?.union(ambiguous), (runs) => ({
      text: `WARNING: ${runs.size} run(s) in artdaqDB but not on filesystem (may have been deleted)`,
    })),
    ...difference(archive, artdaq, (runs) => ({
      text: `INFO: ${runs.size} run(s) in UconDB but not in artdaqDB (may have been cleaned up from intermediate storage)`,
    })),
    ...(waiting.isEmpty
      ? []
      : [
          {
            text: `INFO: ${waiting.size} run(s) are not ready yet (${exactText(waiting)}); a later pass takes them`,
          },
        ]),
    ...[...damagedRecords(facts.waiting), ...archivedDamagedRecords(facts.damagedRecords)].map((text) => ({
      text: `WARNING: ${text}`,
    })),
    ...failures(facts, ambiguous, started),
    ...discrepancies
      .filter(({ kind }) => kind !== 'ambiguous')
      .flatMap((one) => checked(one, facts, ambiguous, started)),
  ]
  return advice.length > 0 ? advice : [{ text: 'All systems are synchronized - no action needed' }]
}

/** What is in the way of everything else. */
const obstacles = ({ unreadable, facts }: Report, started: Started): Advice[] => [
  ...(facts.fullDisks ?? []).map((text): Advice => ({ text: `ERROR: ${text}. Make room first` })),
  ...unreadable.map((text): Advice => ({
    text: `ERROR: Cannot read ${text}`,
    command: subcommand(started, 'config check'),
  })),
  ...(facts.stopped === undefined || unreadable.length > 0
    ? []
    : [
        {
          text: `ERROR: The last pass (${facts.stopped.task}, ${new Date(facts.stopped.at).toISOString()}) was stopped: ${facts.stopped.reason}`,
          command: subcommand(started, 'config check'),
        },
      ]),
  ...(facts.records.known && !facts.records.value.ambiguous.isEmpty
    ? [
        {
          text: `CHECK: ${claimedTwice(facts.records.value.ambiguous)}: rename or remove one of the two`,
          ...compared(facts.records.value.claims),
        },
      ]
    : []),
]

/** What shows which folder of the first ambiguous run is right. */
const compared = (claims: readonly string[] = []): { readonly command?: string } =>
  claims.length < 2 ? {} : { command: `diff -r ${claims.slice(0, 2).map(shellWord).join(' ')}` }

/** Failed runs by what they failed for; the ambiguous ones are named above. */
const failures = ({ causes = [] }: ReportFacts, ambiguous: RunSet, started: Started): Advice[] =>
  causes.slice(0, CAUSES).flatMap(({ stage, code, message, runs }): Advice[] => {
    const left = runs.minus(ambiguous)
    if (left.isEmpty) return []
    return [
      {
        text: `CHECK: ${left.size} run(s) failed to ${stage} (${exactText(left)}): ${message}${code === undefined ? '' : ` [${code}]`}`,
        command:
          code === 'CONFLICT' || code === 'VERIFY_MISMATCH'
            ? subcommand(started, `diff ${left.first ?? ''}`)
            : passCommand(started, `--retry-failed-${stage}`),
      },
    ]
  })

/** A discrepancy, with the runs whose cause was named above left out of it. */
const checked = (
  { kind, runs, text, command }: Discrepancy,
  { causes = [] }: ReportFacts,
  ambiguous: RunSet,
  started: Started,
): Advice[] => {
  if (runs !== undefined && (kind === 'import' || kind === 'migrate')) {
    if (runs.minus(ambiguous).minus(explained(causes.slice(0, CAUSES), kind)).isEmpty) return []
  }
  return [
    {
      text: `CHECK: ${text}`,
      command: command.startsWith('--') ? passCommand(started, command) : subcommand(started, command),
    },
  ]
}

const explained = (causes: readonly FailureCause[], stage: string): RunSet =>
  causes.filter((cause) => cause.stage === stage).reduce((all, { runs }) => all.union(runs), RunSet.EMPTY)

/** An incremental pass leaves failed runs alone: where there are no others, a full one is meant. */
const only = (runs: RunSet, memory: { known: false } | { known: true; value: MemoryFacts }): string =>
  memory.known && runs.minus(memory.value.failed).isEmpty ? '' : ' --incremental'

const difference = (
  from: RunSet | undefined,
  take: RunSet | undefined,
  advise: (runs: RunSet) => Advice,
): Advice[] => {
  if (!from || !take) return []
  const runs = from.minus(take)
  return runs.isEmpty ? [] : [advise(runs)]
}
