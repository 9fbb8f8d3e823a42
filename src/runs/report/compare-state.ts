import { exactText } from './range-text.ts'
import type { RunSet } from '../../common/run-set.ts'
import type { StageState } from '../../state/state-format.ts'

/** What a stage reads from and writes to, and what it remembers. */
export interface StageFacts {
  readonly source: RunSet
  readonly stored: RunSet
  readonly state: StageState
  readonly failed: RunSet
}

/** The remembered state of a stage held against the stores. Every set is disjoint from `stored` unless it says otherwise. */
export interface StageComparison {
  /** Read off the destination; the state should say the same. */
  readonly contiguous: number
  /** On the source, not stored, and not above the state's last contiguous run: the destination has lost them, or the state is wrong. */
  readonly missing: RunSet
  /** Wait in the failure log. */
  readonly failed: RunSet
  /** Neither stored nor failed, above every run attempted: the next pass takes them. */
  readonly fresh: RunSet
  /** Neither stored nor failed, and not above: they came late, or a pass was cut short. The next pass takes them, too. */
  readonly late: RunSet
  /** In the failure log, and stored: a line that a crash left, or other content than what failed. A retry compares them. */
  readonly stale: RunSet
  /** In the failure log, and on neither side. */
  readonly gone: RunSet
}

export const compareStage = ({ source, stored, state, failed }: StageFacts): StageComparison => {
  const open = source.minus(stored)
  const pending = open.minus(failed)
  const attempted = Math.max(state.lastContiguousRun, state.lastAttemptedRun)
  return {
    contiguous: stored.lastContiguous,
    missing: open.upTo(state.lastContiguousRun),
    failed: open.intersect(failed),
    fresh: pending.above(attempted),
    late: pending.upTo(attempted),
    stale: failed.intersect(stored),
    gone: failed.minus(stored).minus(source),
  }
}

/** Something that `--check` reports: a sentence, and the command that puts it right. */
export interface Discrepancy {
  readonly text: string
  /** What kind of it other parts of the report treat apart: failed runs of a stage, and ambiguous names. */
  readonly kind?: 'import' | 'migrate' | 'ambiguous'
  /** The runs in question, where they are failed ones. */
  readonly runs?: RunSet
  readonly command: string
}

const WORDS = {
  import: { destination: 'artdaqDB', source: 'filesystem' },
  migrate: { destination: 'UconDB', source: 'artdaqDB' },
} as const

/** What is amiss with a stage: state and stores contradict each other, or runs wait for a person. New and late runs do not. */
export const discrepancies = (
  stage: 'import' | 'migrate',
  comparison: StageComparison,
  state: StageState,
): readonly Discrepancy[] => {
  const { destination, source } = WORDS[stage]
  const recover = `--recover-${stage}-state`
  const retry = `--retry-failed-${stage}`
  const pass = `--${stage}-only`
  const found: (Discrepancy | undefined)[] = [
    state.lastContiguousRun === comparison.contiguous
      ? undefined
      : {
          text: `${stage} state says last contiguous run ${state.lastContiguousRun}, ${destination} says ${comparison.contiguous}`,
          command: recover,
        },
    about(
      comparison.missing,
      (n) => `${n} at or below the last contiguous run are not in ${destination}`,
      pass,
    ),
    about(comparison.failed, (n) => `${n} failed to ${stage}`, retry, stage),
    about(comparison.stale, (n) => `${n} in the ${stage} failure log are in ${destination}`, retry),
    about(comparison.gone, (n) => `${n} in the ${stage} failure log are no longer in ${source}`, recover),
  ]
  return found.filter((discrepancy) => discrepancy !== undefined)
}

const about = (
  runs: RunSet,
  text: (count: string) => string,
  command: string,
  kind?: 'import' | 'migrate',
): Discrepancy | undefined =>
  runs.isEmpty
    ? undefined
    : {
        text: `${text(`${runs.size} run(s)`)} (${exactText(runs)})`,
        command,
        ...(kind === undefined ? {} : { kind, runs }),
      }
