import { counted } from '../../common/counted.ts'
import { RULE } from './range-text.ts'
import type { Rebuilt } from '../../state/rebuild-state.ts'

/** What a recovery did, or would do. */
export interface Recovery extends Rebuilt {
  readonly stage: 'import' | 'migrate'
  /** How many runs each store holds. */
  readonly sourceRuns: number
  readonly storedRuns: number
  /** Paths. */
  readonly stateFile: string
  readonly failureLog: string
  /** Paths of the copies of what was replaced. */
  readonly kept: readonly string[]
  /** Nothing was written. */
  readonly dryRun: boolean
}

const WORDS = {
  import: {
    title: 'IMPORT',
    source: 'Filesystem',
    sourceInText: 'filesystem',
    lookAtSource: 'Scanning filesystem for run records...',
    destination: 'ArtdaqDB',
    destinationInText: 'artdaqDB',
    lookAtDestination: 'Querying artdaqDB for available runs...',
  },
  migrate: {
    title: 'MIGRATION',
    source: 'ArtdaqDB',
    sourceInText: 'artdaqDB',
    lookAtSource: 'Querying artdaqDB for available runs...',
    destination: 'UconDB',
    destinationInText: 'UconDB',
    lookAtDestination: 'Querying UconDB for migrated runs...',
  },
} as const

/** At most so many missing runs are named; all of them stand in the failure log. */
const PREVIEW = 3

/** What is printed at each step of a recovery, so that an operator sees what it is waiting for: the Python original's words. */
export const recoveryLines = (stage: Recovery['stage']) => {
  const words = WORDS[stage]
  return {
    start: [RULE, `${words.title} STATE RECOVERY`, RULE, words.lookAtSource],
    sourceFound: (runs: number) => [
      `Found ${counted(runs, 'run')} in ${words.sourceInText}`,
      '',
      words.lookAtDestination,
    ],
    destinationFound: (runs: number) => [`Found ${counted(runs, 'run')} in ${words.destinationInText}`, ''],
    done: (recovery: Recovery) => [...resultLines(recovery), '', ...summaryLines(recovery)],
  }
}

const resultLines = ({ state, failed, kept, stateFile, failureLog, dryRun }: Recovery): string[] => {
  const written = dryRun ? '- Would write' : '✓ Written'
  return [
    `Last attempted run: ${state.lastAttemptedRun}`,
    `Last contiguous run: ${state.lastContiguousRun}`,
    '',
    `Found ${counted(failed.size, 'missing run')} to add to failure log`,
    ...kept.map((copy) => `✓ Kept the file that was there as ${nameOf(copy)}`),
    `${written} ${nameOf(stateFile)}`,
    `${written} ${nameOf(failureLog)} with ${counted(failed.size, 'run')}`,
  ]
}

const summaryLines = ({ stage, sourceRuns, storedRuns, state, failed, dryRun }: Recovery): string[] => {
  const words = WORDS[stage]
  const preview = [...failed.take(PREVIEW), ...(failed.size > PREVIEW ? ['...'] : [])].join(', ')
  return [
    RULE,
    `${words.title} STATE RECOVERY ${dryRun ? 'DRY RUN: NOTHING WAS WRITTEN' : 'COMPLETE'}`,
    `  ${words.source} runs: ${sourceRuns}`,
    `  ${words.destination} runs: ${storedRuns}`,
    `  Last contiguous: ${state.lastContiguousRun}`,
    `  Last attempted: ${state.lastAttemptedRun}`,
    `  Missing runs: ${failed.size}`,
    ...(failed.isEmpty ? [] : [`  Missing runs (preview): [${preview}]`]),
    RULE,
  ]
}

/** The same as one JSON document; run sets as texts such as `12345,12347-12349`. */
export const recoveryJson = (recovery: Recovery): string =>
  `${JSON.stringify(
    {
      stage: recovery.stage,
      dry_run: recovery.dryRun,
      source_runs: recovery.sourceRuns,
      destination_runs: recovery.storedRuns,
      last_contiguous_run: recovery.state.lastContiguousRun,
      last_attempted_run: recovery.state.lastAttemptedRun,
      missing_count: recovery.failed.size,
      missing_runs: recovery.failed.toString(),
      state_file: recovery.stateFile,
      failure_log: recovery.failureLog,
      kept: recovery.kept,
    },
    null,
    2,
  )}\n`

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
