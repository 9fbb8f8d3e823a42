import type { Register } from './register.ts'

/** notify, config check, doctor and bundle: looking after a site. */
export const siteCommands: Register = (program, { run, below }) => {
  // `tell` is the old name, which scripts may still call.
  for (const [name, hidden] of [
    ['notify', false],
    ['tell', true],
  ] as const)
    program
      .command(name, { hidden })
      .description('send a text through the channels of `reporting`')
      .argument('[file]', 'a text file; - for standard input', '-')
      .requiredOption('--title <text>', 'what it is about')
      .option('--key <text>', 'send the same key once an hour only')
      .option('--config <file>', 'configuration file', 'config.yaml')
      .action(run(async () => (await import('../commands/notify.ts')).notify, 'file'))
  const config = program.command('config').description('look at the configuration')
  config
    .command('check')
    .description('parse, expand and connect; say what is wrong, with the line')
    .option('--config <file>', 'configuration file', 'config.yaml')
    .option('--json', 'one JSON document on standard output')
    .option('--no-connect', 'look at the file only')
    .action(run(async () => (await import('../commands/config-check.ts')).configCheck))
  below(program, 'doctor', 'look at the site and this host, and say what is wrong').action(
    run(async () => (await import('../commands/doctor.ts')).doctor),
  )
  program
    .command('bundle')
    .description('write a .tar.gz for a bug report, with secrets masked')
    .option('--config <file>', 'configuration file', 'config.yaml')
    .option('--to <file>', 'where to', 'run-archiver-report.tar.gz')
    .action(run(async () => (await import('../commands/bundle.ts')).bundle))
}
