import { Command as Program, CommanderError, Option } from 'commander'
import type { Command, Context } from './app/context.ts'

const EXIT_USAGE = 64

/**
 * Reads the command line and runs the one command that it names. Every command is a line in `program` below and is loaded
 * only when it is called, so that `--help` stays quick. Answers with the exit code; what a command throws, it throws.
 */
export const runCli = async (argv: readonly string[], context: Context): Promise<number> => {
  let code = 0
  const program = programFor(context, (exit) => (code = exit))
  try {
    await program.parseAsync(argv.map(helpSpelling), { from: 'user' })
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : EXIT_USAGE
  }
}

/** `/?`, `/h` and `/help` ask for help as well, as they did in the Python original. */
const helpSpelling = (word: string): string => (['/?', '/h', '/help'].includes(word) ? '--help' : word)

/** Options that stand behind a subcommand's own name: commander lets the default of the parent's option of the same name win over them. */
const givenTo = (program: Program): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(program.opts()).filter(([name]) => program.getOptionValueSource(name) === 'cli'),
  )

type Load<Options> = () => Promise<Command<Options>>

/** The commands, as commander knows them; also read by scripts/docs.ts for the man page and the completions. */
export const programFor = (context: Context, exit: (code: number) => void): Program => {
  /** Gives a commander action that loads the command, hands it arguments (by the names given) and options, and keeps its exit code. */
  const run =
    <Options>(load: Load<Options>, ...names: string[]) =>
    async (...words: unknown[]): Promise<void> => {
      const self = words.at(-1) as Program
      const named = Object.fromEntries(names.map((name, i) => [name, words[i]]))
      const command = await load()
      exit(await command({ ...self.optsWithGlobals(), ...givenTo(self), ...named } as Options, context))
    }
  const program = new Program('run-archiver')
    .description(
      'Archives run records: run record directories → artdaqDB → UconDB, and proves that nothing was lost.',
    )
    .version(context.version, '-V, --version')
    .configureOutput({ writeOut: (text) => context.out(text), writeErr: (text) => context.err(text) })
    .exitOverride()
    .enablePositionalOptions()
    .showHelpAfterError('(run-archiver --help lists commands and flags)')
    .argument('[config]', 'configuration file', 'config.yaml')
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
    .addOption(new Option('--color', 'colour even where standard error is no terminal'))
    .addOption(new Option('--no-color', 'no colour (NO_COLOR says the same)'))
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 known trouble (docs/ERRORS.md), 2 a bug, 64 usage, 78 configuration, 130 SIGINT, 143 SIGTERM.',
    )
    .action(run(async () => (await import('./commands/main-command.ts')).mainCommand, 'config'))

  /** A command that reads the configuration. */
  const below = (parent: Program, name: string, description: string): Program =>
    parent
      .command(name)
      .description(description)
      .option('--config <file>', 'configuration file', 'config.yaml')
      .option('--json', 'one JSON document on standard output')

  program
    .command('init')
    .description('write an example configuration and sample run records to try it on')
    .argument('<dir>', 'a new or empty directory')
    .action(run(async () => (await import('./commands/init/init.ts')).init, 'dir'))
  below(
    program,
    'extract',
    'restore a run: its record from artdaqDB, or the sections of its blob from the archive',
  )
    .argument('<run>', 'run number')
    .requiredOption('--to <dir>', 'where to; a new or empty directory')
    .addOption(new Option('--from <place>', 'which copy').choices(['artdaq', 'archive']).default('archive'))
    .action(run(async () => (await import('./commands/extract.ts')).extract, 'run'))
  below(program, 'verify', 'read back and compare run records, artdaqDB and archive')
    .option('--runs <runs>', 'only these runs: 12000-12050,12060')
    .option('--sample <percent>', 'only so many of all runs, by chance: 5%')
    .action(run(async () => (await import('./commands/verify.ts')).verify))
  below(program, 'diff', 'show what differs between the three copies of a run')
    .argument('<run>', 'run number')
    .action(run(async () => (await import('./commands/diff.ts')).diff, 'run'))
  below(
    program,
    'audit',
    'prove the invariant: every run is archived, failed or pending, from the stores alone',
  )
    .option('--deep', 'read every archived run back')
    .action(run(async () => (await import('./commands/audit.ts')).audit))
  below(program, 'daemon', 'watch the record directory and archive runs as they end')
    .option('-v, --verbose', 'log debug messages too')
    .action(run(async () => (await import('./commands/daemon.ts')).daemon))
  program
    .command('tell')
    .description('send a text through the channels of `reporting`')
    .argument('[file]', 'a text file; - for standard input', '-')
    .requiredOption('--title <text>', 'what it is about')
    .option('--key <text>', 'tell the same key once an hour only')
    .option('--config <file>', 'configuration file', 'config.yaml')
    .action(run(async () => (await import('./commands/notify.ts')).tell, 'file'))
  const config = program.command('config').description('look at the configuration')
  config
    .command('check')
    .description('parse, expand and connect; say what is wrong, with the line')
    .option('--config <file>', 'configuration file', 'config.yaml')
    .option('--json', 'one JSON document on standard output')
    .option('--no-connect', 'look at the file only')
    .action(run(async () => (await import('./commands/config-check.ts')).configCheck))
  const artdaq = program.command('artdaq').description('look into the artdaqDB, and mend it')
  below(artdaq, 'list', 'the runs that it holds').action(
    run(async () => (await import('./commands/artdaq.ts')).artdaqList),
  )
  below(artdaq, 'show', 'the documents of a run')
    .argument('<run>', 'run number')
    .action(run(async () => (await import('./commands/artdaq.ts')).artdaqShow, 'run'))
  below(artdaq, 'export', "write a run's documents as artdaq's bulkdownloader does")
    .argument('<run>', 'run number')
    .requiredOption('--to <dir>', 'where to')
    .action(run(async () => (await import('./commands/artdaq.ts')).artdaqExport, 'run'))
  below(artdaq, 'check', 'orphans, missing documents, duplicates, damaged files').action(
    run(async () => (await import('./commands/artdaq.ts')).artdaqCheck),
  )
  below(artdaq, 'repair', 'rebuild the indexes from the documents; the old ones are kept').action(
    run(async () => (await import('./commands/artdaq.ts')).artdaqRepair),
  )
  const fhicl = program.command('fhicl').description('convert FHiCL as artdaq does')
  fhicl
    .command('to-json')
    .description('FHiCL → the JSON that artdaq makes of it')
    .argument('<file>', 'FHiCL file; - for standard input')
    .option('--name <name>', 'the name of the document', 'notprovided')
    .option('--stamp <time>', "the time stamp, in artdaq's form; now unless given")
    .action(run(async () => (await import('./commands/fhicl.ts')).fhiclToJsonCommand, 'file'))
  fhicl
    .command('from-json')
    .description('JSON → the FHiCL that artdaq exports')
    .argument('<file>', 'JSON file; - for standard input')
    .action(run(async () => (await import('./commands/fhicl.ts')).fhiclFromJsonCommand, 'file'))
  const history = program.command('history').description('who ran, how far, how it ended')
  history
    .option('--config <file>', 'configuration file', 'config.yaml')
    .option('--json', 'one JSON document on standard output')
    .option('--since <time>', 'executions since then: 24h, 7d, 2026-11-21')
    .option('--status <words>', 'only these: KILLED,TERMINATED')
    .option('--limit <number>', 'at most so many')
    .action(run(async () => (await import('./commands/history.ts')).history))
  below(history, 'show', 'one execution')
    .argument('<id>', 'number or uuid')
    .action(run(async () => (await import('./commands/history.ts')).historyShow, 'id'))
  below(history, 'prune', 'remove what is older than ledger.keep_days').action(
    run(async () => (await import('./commands/history.ts')).historyPrune),
  )
  below(history, 'stats', 'runs, kills, reboots and rates by day')
    .option('--since <time>', 'since then', '7d')
    .action(run(async () => (await import('./commands/history.ts')).historyStats))
  return program
}
