import type { Register } from './register.ts'

/** records: payloads into mapped tables. */
export const recordsCommands: Register = (program, { run }) => {
  const records = program.command('records').description('payloads (XML, JSON) into mapped tables')
  records
    .command('plan')
    .description('the rows that a payload becomes; writes nothing')
    .argument('<item>', 'a file with a payload')
    .option('--mapping <file>', 'mapping file: YAML, or the contract of the original')
    .option('--source-key <key>', 'the key of the source row')
    .option('--source-kind <kind>', 'text: already decoded; bytes: by its declaration', 'bytes')
    .option('--given <file>', 'JSON of tables and the rows that they hold already')
    .option('--strict', 'a warning fails the item')
    .option('--show-values', 'show values, which may be personal data')
    .option('--json', 'one JSON document on standard output')
    .action(run(async () => (await import('../commands/records/plan.ts')).planCommand, 'item'))
  records
    .command('check')
    .description('whether a mapping can be used, with every problem and its place')
    .option('--mapping <file>', 'mapping file: YAML, or the contract of the original')
    .option('--json', 'one JSON document on standard output')
    .action(run(async () => (await import('../commands/records/check.ts')).checkCommand))
}
