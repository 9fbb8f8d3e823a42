import { Option, type Command as Program } from 'commander'
import type { Register } from './register.ts'

/** records: payloads into mapped tables. */
export const recordsCommands: Register = (program, { run, below }) => {
  const records = program.command('records').description('payloads (XML, JSON) into mapped tables')
  naming(records.command('plan'))
    .description('the rows that a payload becomes; writes nothing')
    .argument('<item>', 'a file with a payload; with --task a key of its source')
    .option('--task <task>', 'task of records.tasks, whose source and mapping are used')
    .option('--config <file>', 'configuration file, for --task', 'config.yaml')
    .option('--mapping <file>', 'mapping file: YAML, or the contract of the original')
    .option('--source-key <key>', 'the key of the source row')
    .option('--source-kind <kind>', 'text: already decoded; bytes: by its declaration', 'bytes')
    .option('--given <file>', 'JSON of tables and the rows that they hold already')
    .option('--strict', 'a warning fails the item')
    .option('--show-values', 'show values, which may be personal data')
    .option('--json', 'one JSON document on standard output')
    .action(run(async () => (await import('../commands/records/plan.ts')).planCommand, 'item'))
  naming(records.command('check'))
    .description('whether a mapping can be used, with every problem and its place')
    .argument('[task]', "task of records.tasks: its mapping is held against the target's tables")
    .option('--mapping <file>', 'mapping file: YAML, or the contract of the original')
    .option('--config <file>', 'configuration file', 'config.yaml')
    .option('--json', 'one JSON document on standard output')
    .action(run(async () => (await import('../commands/records/check.ts')).checkCommand, 'task'))
  records
    .command('import-contract')
    .description('the contract of the original as a mapping file')
    .argument('<file>', 'the contract, JSON')
    .option('--to <file>', 'write it there instead of to standard output')
    .action(
      run(async () => (await import('../commands/records/import-contract.ts')).importContractCommand, 'file'),
    )
  selecting(below(records, 'run', 'every payload that is due becomes rows, each in one transaction'))
    .option('--no-exclude-failed', 'take failed items as well as new ones')
    .option('--retry-failed', 'take failed items alone')
    .option('--log-level <level>', 'DEBUG, INFO, WARNING or ERROR', 'INFO')
    .option('--strict', 'a warning fails the item')
    .action(run(async () => (await import('../commands/records/run.ts')).runCommand, 'task'))
  selecting(below(records, 'retry', 'take failed items again'))
    .option('--strict', 'a warning fails the item')
    .action(run(async () => (await import('../commands/records/retry.ts')).retryCommand, 'task'))
  naming(below(records, 'report', 'what became of the items: by status, code and table'))
    .argument('<task>', 'task of records.tasks')
    .option('--mapping <file>', 'mapping file instead of the one of the task')
    .option('--source <source>', 'files:FOLDER instead of the configured source')
    .option('--failed', 'list the failed items')
    .action(run(async () => (await import('../commands/records/report.ts')).reportCommand, 'task'))
  naming(below(records, 'audit', 'map every payload again and compare it with the tables; writes nothing'))
    .argument('<task>', 'task of records.tasks')
    .option('--mapping <file>', 'mapping file instead of the one of the task')
    .option('--source <source>', 'files:FOLDER instead of the configured source')
    .option(
      '--sample <percent>',
      'check only so many of each 100 stored items; the others count as unchecked',
    )
    .action(run(async () => (await import('../commands/records/audit.ts')).auditCommand, 'task'))
  naming(below(records, 'dead-letter', 'the payloads of failed items as files, with a manifest'))
    .argument('<task>', 'task of records.tasks')
    .option('--to <folder>', 'where the files are written')
    .action(run(async () => (await import('../commands/records/dead-letter.ts')).deadLetterCommand, 'task'))
}

/** The flags that name the target. */
const naming = (command: Program): Program =>
  command
    .option(
      '--server <server>',
      'instead of the server of records.target_url: HOST or HOST,PORT; of SQL Server HOST\\INSTANCE',
    )
    .option('--database <database>', 'instead of the database of records.target_url')
    .option('--username <name>', 'instead of the user of records.target_url')

/** The arguments and flags that say which items are taken. */
const selecting = (command: Program): Program =>
  naming(command)
    .argument('[task]', 'task of records.tasks')
    .option('--mapping <file>', 'mapping file instead of the one of the task')
    .option('--source <source>', 'files:FOLDER instead of the configured source')
    .option('--workers <number>', 'items in hand at once')
    .option('--batch-size <number>', 'keys that are read at once')
    .option(
      '--limit <number>',
      'items that this instance attempts at most; 0: all (10000 unless a range is given)',
    )
    .option('--all', 'no limit')
    .option('--app-id-start <key>', 'first key')
    .option('--app-id-end <key>', 'last key')
    .option('--instance-id <number>', 'of several instances, this one, from 0')
    .option('--instance-count <number>', 'how many instances there are')
    .option('--code <code>', 'of failed items, only those with this code')
    .option('--max-retries <number>', 'of failed items, only those tried again less often')
    .option('--connection-timeout <seconds>', 'how long a connection, and a statement, may take')
    .option('--adopt-log', "take over the original's processing_log")
    .option('--product-line <line>', 'the task, where no TASK is given')
    .addOption(new Option('--modulo-instance <number>').hideHelp())
    .addOption(new Option('--modulo-shard <number>').hideHelp())
    .addOption(new Option('--password <password>').hideHelp())
    .addOption(new Option('--chunk-size <number>').hideHelp())
    .addOption(new Option('--enable-pooling').hideHelp())
    .addOption(new Option('--min-pool-size <number>').hideHelp())
    .addOption(new Option('--max-pool-size <number>').hideHelp())
    .addOption(new Option('--disable-mars').hideHelp())
    .addOption(new Option('--enable-instrumentation').hideHelp())
