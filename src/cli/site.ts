import type { Register } from './register.ts'

/** tell and config check: what the units and the installer call. */
export const siteCommands: Register = (program, { run }) => {
  program
    .command('tell')
    .description('send a text through the channels of `reporting`')
    .argument('[file]', 'a text file; - for standard input', '-')
    .requiredOption('--title <text>', 'what it is about')
    .option('--key <text>', 'tell the same key once an hour only')
    .option('--config <file>', 'configuration file', 'config.yaml')
    .action(run(async () => (await import('../commands/notify.ts')).tell, 'file'))
  const config = program.command('config').description('look at the configuration')
  config
    .command('check')
    .description('parse, expand and connect; say what is wrong, with the line')
    .option('--config <file>', 'configuration file', 'config.yaml')
    .option('--json', 'one JSON document on standard output')
    .option('--no-connect', 'look at the file only')
    .action(run(async () => (await import('../commands/config-check.ts')).configCheck))
}
