import { ArchiverError } from '../errors.ts'
import { RunSet } from '../common/run-set.ts'
import type { StageName } from '../common/stage-name.ts'

/** The flags of the main command, as commander gives them. */
export interface MainOptions {
  readonly config: string
  readonly incremental?: boolean
  readonly importOnly?: boolean
  readonly migrateOnly?: boolean
  readonly retryFailedImport?: boolean
  readonly retryFailedMigrate?: boolean
  readonly recoverImportState?: boolean
  readonly recoverMigrateState?: boolean
  readonly reportStatus?: boolean
  readonly compareState?: boolean
  readonly check?: boolean
  readonly validate?: boolean
  readonly verbose?: boolean
  readonly json?: boolean
  readonly dryRun?: boolean
  readonly runs?: string
  readonly limit?: string
  readonly wait?: string
  readonly overrideConflict?: string
  readonly instanceId?: string
  readonly instanceCount?: string
}

/** What the main command is asked to do. */
export type Mode =
  | {
      readonly type: 'pass'
      readonly pass: 'incremental' | 'full' | 'retry'
      readonly stages: readonly StageName[]
    }
  | { readonly type: 'recover'; readonly stage: StageName }
  | { readonly type: 'report' }

const MODES: readonly [key: keyof MainOptions, flag: string, mode: Mode][] = [
  ['importOnly', '--import-only', { type: 'pass', pass: 'full', stages: ['import'] }],
  ['migrateOnly', '--migrate-only', { type: 'pass', pass: 'full', stages: ['migrate'] }],
  ['retryFailedImport', '--retry-failed-import', { type: 'pass', pass: 'retry', stages: ['import'] }],
  ['retryFailedMigrate', '--retry-failed-migrate', { type: 'pass', pass: 'retry', stages: ['migrate'] }],
  ['recoverImportState', '--recover-import-state', { type: 'recover', stage: 'import' }],
  ['recoverMigrateState', '--recover-migrate-state', { type: 'recover', stage: 'migrate' }],
]

/** Flags that only a pass understands. */
const PASS_FLAGS: readonly [key: keyof MainOptions, flag: string][] = [
  ['incremental', '--incremental'],
  ['validate', '--validate'],
  ['runs', '--runs'],
  ['limit', '--limit'],
  ['overrideConflict', '--override-conflict'],
  ['instanceId', '--instance-id'],
  ['instanceCount', '--instance-count'],
]

/** Reads the mode off the flags. Throws USAGE that names both flags where two contradict each other. */
export const modeOf = (options: MainOptions): Mode => {
  const report = options.compareState ? '--compare-state' : '--report-status'
  const asked = MODES.filter(([key]) => options[key])
  const named = asked.map(([, flag]) => flag)
  if (options.compareState || options.reportStatus) named.push(report)
  if (named.length > 1) throw contradiction(named[0] ?? '', named[1] ?? '')
  waitOf(options)
  const mode: Mode =
    named[0] === report
      ? { type: 'report' }
      : (asked[0]?.[2] ?? { type: 'pass', pass: 'full', stages: ['import', 'migrate'] })
  if (mode.type !== 'pass')
    for (const [key, flag] of PASS_FLAGS) if (options[key]) throw contradiction(named[0] ?? '', flag)
  if (mode.type !== 'report' && options.check)
    throw new ArchiverError('USAGE', '--check needs --report-status or --compare-state', {
      hint: 'It turns what the report finds into the exit code.',
    })
  if (mode.type !== 'pass') return mode
  if (mode.pass === 'retry' && options.incremental) throw contradiction(named[0] ?? '', '--incremental')
  if (options.overrideConflict !== undefined && !mode.stages.includes('migrate'))
    throw contradiction(named[0] ?? '', '--override-conflict')
  refuseOtherRun(options)
  return options.incremental ? { ...mode, pass: 'incremental' } : mode
}

/** A run that is not among those that are asked for would not be overridden, without a word. */
const refuseOtherRun = ({ runs, overrideConflict }: MainOptions): void => {
  if (runs === undefined || overrideConflict === undefined) return
  if (!runsOf(runs).has(runOf(overrideConflict)))
    throw contradiction(`--override-conflict ${overrideConflict}`, `--runs ${runs}`)
}

/** `--wait`; what the configuration says where it is not given. Seconds. Throws USAGE. */
export const waitOf = ({ wait }: Pick<MainOptions, 'wait'>): ((configured: number) => number) => {
  const given = wait === undefined ? undefined : countOf('--wait', wait)
  return (configured) => given ?? configured
}

/** A list of runs, `1-5000,7000`. Throws USAGE, which names the flag or argument that it stands in. */
export const runsOf = (text: string, flag = '--runs'): RunSet => {
  try {
    return RunSet.parse(text)
  } catch (error) {
    throw new ArchiverError('USAGE', `${flag}: ${(error as SyntaxError).message}`)
  }
}

/** One run number, zeros in front allowed as in directory names. Throws USAGE. */
export const runOf = (text: string): number => {
  if (!/^0*[1-9]\d{0,14}$/.test(text)) throw new ArchiverError('USAGE', `"${text}" is not a run number`)
  return Number(text)
}

/** `--limit`, `--wait`: a whole number, 0 or more. Throws USAGE. */
export const countOf = (flag: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new ArchiverError('USAGE', `${flag}: "${text}" is not a whole number`)
  return Number(text)
}

const contradiction = (one: string, other: string): ArchiverError =>
  new ArchiverError('USAGE', `${one} and ${other} cannot be given together`, {
    hint: 'Give one of them; run-archiver --help explains both.',
  })
