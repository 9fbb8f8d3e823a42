import { now } from '../../platform/host.ts'
import { type Invocation, isStampValid, stampFile } from './idle-stamp.ts'

/** A line for each stage of a pass that had nothing to do, as any other pass prints it. */
export const nothingDone = (stages: readonly string[]): string =>
  stages.map((stage) => (stage === 'import' ? 'Import:  0 archived\n' : 'Migrate: 0 archived\n')).join('')

const KNOWN = ['--incremental', '--import-only', '--migrate-only']

/**
 * The flags of a command line that a stamp may answer: an incremental pass, with nothing that changes what it does or prints. Undefined for any
 * other command line.
 */
export const quickFlags = (argv: readonly string[]): readonly string[] | undefined => {
  const flags = argv.filter((word) => word.startsWith('-'))
  const quick =
    flags.includes('--incremental') &&
    flags.every((flag) => KNOWN.includes(flag)) &&
    argv.length - flags.length <= 1
  return quick ? flags.sort() : undefined
}

/**
 * Ends an incremental pass before the command line is even parsed, where the last one was idle and nothing has changed since. Loads neither
 * commander nor YAML, lists nothing, writes nothing. Answers whether it did.
 */
export const wasIdle = (context: Invocation): boolean => {
  const flags = quickFlags(context.argv)
  if (!flags) return false
  const config = context.argv.find((word) => !word.startsWith('-')) ?? 'config.yaml'
  const file = stampFile(config, flags, context.env)
  if (file === undefined || !isStampValid(file, config, context.env, context.version, now())) return false
  const stages = flags.includes('--import-only')
    ? 'import'
    : flags.includes('--migrate-only')
      ? 'migrate'
      : 'import or migrate'
  context.out(`Nothing new to ${stages}.\n${nothingDone(stages.split(' or '))}`)
  return true
}
