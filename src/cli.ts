import { Command as Program, CommanderError, Option } from 'commander'
import { existsSync } from 'node:fs'
import { type Context, startedAs, stopCode } from './app/context.ts'
import { alertsCommands } from './cli/alerts.ts'
import { artdaqCommands } from './cli/artdaq.ts'
import { documentOutput } from './cli/failure-document.ts'
import { fhiclCommands } from './cli/fhicl.ts'
import { historyCommands } from './cli/history.ts'
import { queueCommands } from './cli/queue.ts'
import { recordsCommands } from './cli/records.ts'
import type { Load, Register } from './cli/register.ts'
import { rowsCommands } from './cli/rows.ts'
import { runCommands } from './cli/runs.ts'
import { serveCommands } from './cli/serve.ts'
import { siteCommands } from './cli/site.ts'
import { trackCommands } from './cli/track.ts'
import { completeCommands, type Started } from './common/own-command.ts'
import { suggest } from './common/suggest.ts'
import { ArchiverError } from './errors.ts'

/** The subcommands by area, in the order of `--help`. */
const AREAS: readonly Register[] = [
  runCommands,
  siteCommands,
  artdaqCommands,
  fhiclCommands,
  historyCommands,
  alertsCommands,
  recordsCommands,
  rowsCommands,
  trackCommands,
  serveCommands,
  queueCommands,
]

const EXIT_USAGE = 64

/**
 * Reads the command line and runs the one command that it names. Every command is a line in `program` below and is loaded
 * only when it is called, so that `--help` stays quick. Returns the exit code; what a command throws propagates. With `--json`,
 * a failure is a document on standard output too, whatever failed: the command line, the configuration, the command.
 */
export const runCli = async (argv: readonly string[], given: Context): Promise<number> => {
  const output = documentOutput(argv, (text) => given.out(text))
  const context: Context = { ...given, out: (text) => output.out(text) }
  let code = 0
  const program = programFor(context, (exit) => (code = exit))
  try {
    await program.parseAsync(argv.map(helpSpelling), { from: 'user' })
    if (code !== 0 && context.signal.aborted && code === stopCode(context.signal))
      output.fail(interrupted(context.signal))
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      const failure = stoppedBy(error, context.signal) ?? error
      if (failure instanceof ArchiverError) output.fail(failure)
      throw failure
    }
    if (error.exitCode === 0) return 0
    output.fail(
      new ArchiverError('USAGE', error.message.replace(/^error: /, ''), {
        hint: 'run-archiver --help lists commands and flags',
      }),
    )
    return EXIT_USAGE
  }
}

const interrupted = (signal: AbortSignal): ArchiverError =>
  new ArchiverError('INTERRUPTED', `stopped by ${String(signal.reason)}`)

/** Work that was stopped throws what its signal was aborted with: the name of the signal of the process. */
const stoppedBy = (thrown: unknown, signal: AbortSignal): ArchiverError | undefined =>
  signal.aborted && thrown === signal.reason ? interrupted(signal) : undefined

/** `/?`, `/h` and `/help` ask for help as well, as they did in the Python original. */
const helpSpelling = (word: string, place: number): string =>
  ['/?', '/h', '/help'].includes(word) || (word === 'help' && place === 0) ? '--help' : word

/** Options that stand behind a subcommand's own name: commander lets the default of the parent's option of the same name win over them. */
const givenTo = (program: Program): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(program.opts()).filter(([name]) => program.getOptionValueSource(name) === 'cli'),
  )

/** An option of the program before a command that does not have it would be ignored: `run-archiver --dry-run artdaq repair` must not repair. */
const refuseUnknownGlobals = (self: Program): void => {
  for (let above = self.parent; above; above = above.parent)
    for (const option of above.options)
      if (
        above.getOptionValueSource(option.attributeName()) === 'cli' &&
        !self.options.some(({ long }) => long === option.long)
      )
        self.error(`error: '${self.name()}' has no ${option.long ?? option.flags}; nothing was done`, {
          exitCode: EXIT_USAGE,
        })
}

/** The configuration by its option or as an argument, which are the same: two different ones are a contradiction. */
const chosenConfig = (self: Program, argument: unknown): string => {
  const { config } = self.opts<{ config?: string }>()
  const isGiven = self.getOptionValueSource('config') === 'cli'
  if (typeof argument !== 'string') return config ?? DEFAULT_CONFIG
  if (isGiven && config !== argument)
    self.error(`error: two configurations are named, ${argument} and --config ${config}; give one`, {
      exitCode: EXIT_USAGE,
    })
  return argument
}

const DEFAULT_CONFIG = 'config.yaml'

const configOf = (options: { readonly config?: unknown }): string | undefined =>
  typeof options.config === 'string' ? options.config : undefined

/** The commands that an error recommends, as they have to be typed here. */
const withCommands = (error: unknown, started: Started): unknown => {
  if (error instanceof ArchiverError && error.hint !== undefined)
    error.hint = completeCommands(error.hint, started)
  return error
}

const refuseMisspelled = (program: Program, word: string): void => {
  if (/[./\\]/.test(word) || existsSync(word)) return
  const near = suggest(
    word,
    program.commands.map((command) => command.name()),
  )
  const meant = near === undefined ? '' : `\n(Did you mean ${near}?)`
  program.error(`error: there is no command and no configuration file named '${word}'${meant}`, {
    exitCode: EXIT_USAGE,
  })
}

/** The commands, as commander knows them; also read by scripts/docs.ts for the man page and the completions. */
export const programFor = (context: Context, exit: (code: number) => void): Program => {
  /** Gives commander an action that loads the command, hands it arguments (by the names given) and options, and keeps its exit code. */
  const run =
    <Options>(load: Load<Options>, ...names: string[]) =>
    async (...words: unknown[]): Promise<void> => {
      const self = words.at(-1) as Program
      const named = Object.fromEntries(names.map((name, i) => [name, words[i]]))
      refuseUnknownGlobals(self)
      const options: { config?: unknown } = { ...self.optsWithGlobals(), ...givenTo(self), ...named }
      if (names.includes('config')) options.config = chosenConfig(self, words[names.indexOf('config')])
      const command = await load()
      try {
        exit(await command(options as Options, { ...context, configFile: configOf(options) }))
      } catch (error) {
        const config = configOf(options)
        throw config === undefined ? error : withCommands(error, startedAs(context, config))
      }
    }
  /** A word that is no file may be a command with a slip in it; it is never taken for a configuration then. */
  const mainAction = async (...words: unknown[]): Promise<void> => {
    if (typeof words[0] === 'string') refuseMisspelled(program, words[0])
    await run(async () => (await import('./commands/main-command.ts')).mainCommand, 'config')(...words)
  }
  const program: Program = new Program('run-archiver')
    .description(
      'Archives run records: run record directories → artdaqDB → UconDB, and proves that nothing was lost.',
    )
    .version(context.version, '-V, --version')
    .configureOutput({ writeOut: (text) => context.out(text), writeErr: (text) => context.err(text) })
    .exitOverride()
    .enablePositionalOptions()
    .showHelpAfterError('(run-archiver --help lists commands and flags)')
    .argument('[config]', `configuration file (default: "${DEFAULT_CONFIG}")`)
    .option('--config <file>', 'the same as the argument')
    .option('--incremental', 'only what is new: failed runs are left to --retry-failed-*')
    .option('--import-only', 'run record directories → artdaqDB only')
    .option('--migrate-only', 'artdaqDB → UconDB only')
    .option('--retry-failed-import', 'try the runs of the import failure log again')
    .option('--retry-failed-migrate', 'try the runs of the migration failure log again')
    .option('--recover-import-state', 'rebuild the import state from run records and artdaqDB')
    .option('--recover-migrate-state', 'rebuild the migration state from artdaqDB and UconDB')
    .option('--report-status', 'what is where, and what is missing')
    .option('--compare-state', 'as --report-status, and the state files against the stores')
    .option('--check', 'with --report-status or --compare-state: exit 1 when anything is amiss')
    .option('--validate', 'check the metadata of each blob after it was archived')
    .option('-v, --verbose', 'log debug messages too')
    .option('--json', 'one JSON document on standard output; logs go to standard error')
    .option('--dry-run', 'say what would be done, write nothing')
    .option('--runs <runs>', 'only these runs: 12000-12050,12060')
    .option('--limit <number>', 'at most this many runs a stage')
    .option('--wait <seconds>', 'wait for the lock instead of giving up at once')
    .option(
      '--override-conflict <run>',
      'archive this one run in UconDB although its key is taken by other content',
    )
    .option(
      '--instance-id <number>',
      'with --instance-count: only the runs whose number modulo the count is this',
    )
    .option('--instance-count <number>', 'how many instances split the runs; state merge joins their files')
    .addOption(new Option('--color', 'colour even where standard error is no terminal'))
    .addOption(new Option('--no-color', 'no colour (NO_COLOR says the same)'))
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 known trouble (docs/ERRORS.md), 2 a bug, 64 usage, 78 configuration, 130 SIGINT, 143 SIGTERM.',
    )
    .action(mainAction)

  /** A command that reads the configuration. */
  const below = (parent: Program, name: string, description: string): Program =>
    parent
      .command(name)
      .description(description)
      .option('--config <file>', 'configuration file', DEFAULT_CONFIG)
      .option('--json', 'one JSON document on standard output')

  for (const register of AREAS) register(program, { run, below })
  return program
}
