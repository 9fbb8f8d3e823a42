import type { Register } from './register.ts'

/** notify and config check: what the units and the installer call. */
export const siteCommands: Register = (program, { run }) => {
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
}
