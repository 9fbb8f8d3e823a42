import type { Command as Program } from 'commander'
import type { Register } from './register.ts'

/** What the preflight finds and these flags overrule. */
const FORCE = {
  cascades: 'move rows although the server deletes or changes their children',
  triggers: 'move rows although triggers run at each delete or copy',
  binlog: 'move rows although the binary log has the format STATEMENT',
  'packet-size': 'move rows although a batch may be larger than max_allowed_packet',
}

const paced = (program: Program): Program => {
  program
    .option('--batch-size <ids>', 'ids of a batch, or auto')
    .option('--limit-batches <number>', 'end after so many batches')
    .option('--run-time <time>', 'begin no batch after so long: 90s, 2h')
    .option('--sleep <time>', 'rest after each batch')
    .option('--file <path...>', 'these files instead of rows.files')
    .option('--on-batch-error <word>', 'stop or continue')
    .option('--max-lag <time>', 'the longest lag of a replica')
    .option('--max-hll <number>', 'the longest history list')
  return forcing(program)
}

const forcing = (program: Program): Program => {
  for (const [name, text] of Object.entries(FORCE)) program.option(`--force-${name}`, text)
  return program
}

/** rows: moves rows of a SQL table to its archive table. */
export const rowsCommands: Register = (program, { run, below }) => {
  const rows = program
    .command('rows')
    .description('move rows of a SQL table to its archive table, by lists of ids')
  /** A command that may be given its file as an argument, too. */
  const reading = (name: string, text: string): Program =>
    below(rows, name, text).argument('[config]', 'YAML or INI file, the same as --config')
  paced(
    reading('run', 'move the rows; resumes what an earlier run left')
      .option('--dry-run', 'do each batch and roll it back; write nothing')
      .option('--no-delete', 'copy only: live rows stay')
      .option('--verify-only', 'compare only: change nothing'),
  ).action(run(async () => (await import('../commands/rows/run.ts')).rowsRun, 'config'))
  reading(
    'verify',
    'compare the rows of the files with their archive, or read all archive files; change nothing',
  )
    .option('--file <path...>', 'these files instead of rows.files')
    .action(run(async () => (await import('../commands/rows/run.ts')).rowsVerify, 'config'))
  const plan = reading(
    'plan',
    'check everything that a run checks, and show the SQL of a batch and how the server would run it',
  )
    .option('--file <path...>', 'these files instead of rows.files')
    .option('--batch-size <ids>', 'ids of a batch, or auto')
    .option('--max-lag <time>', 'the longest lag of a replica')
    .option('--max-hll <number>', 'the longest history list')
  forcing(plan).action(run(async () => (await import('../commands/rows/plan.ts')).rowsPlan, 'config'))
  reading('status', 'running and past executions with their files')
    .option(
      '--ended-badly <duration>',
      'only what began since and was KILLED, TERMINATED or met a SYSTEM_REBOOT: 24h',
    )
    .option('--limit <number>', 'at most so many; left out: 5, with --ended-badly all')
    .action(run(async () => (await import('../commands/rows/status.ts')).rowsStatus, 'config'))
  reading('stats', 'executions, rows and conflicts by day')
    .option('--since <days>', 'so many days: 7 or 7d', '7')
    .action(run(async () => (await import('../commands/rows/status.ts')).rowsStats, 'config'))
  reading('conflicts', 'rows that differ from their archived version; settle them with --keep')
    .option('--keep <version>', 'archive, live or both')
    .option('--key <key>', 'only this row')
    .option('--force-cascades', FORCE.cascades)
    .action(run(async () => (await import('../commands/rows/conflicts.ts')).rowsConflicts, 'config'))
  for (const [word, text] of [
    ['pause', 'begin no further batch until resumed'],
    ['resume', 'go on after a pause'],
    ['cancel', 'end after the batch in hand'],
  ] as const)
    below(rows, word, text)
      .argument('<id>', 'number of the execution, as rows status shows it')
      .action(
        run(async () => {
          const { rowsControl } = await import('../commands/rows/control.ts')
          return rowsControl(word)
        }, 'id'),
      )
  const restore = reading('restore', 'put rows of archive files back into the live table; the files stay')
    .option('--archive-file <file...>', 'these files of the archive instead of all')
    .option('--force-triggers', FORCE.triggers)
  restore.action(run(async () => (await import('../commands/rows/files.ts')).rowsRestore, 'config'))
  reading('cleanup', 'remove old rows of the log tables, and archive files of batches that did not commit')
    .option('--older-than <days>', 'executions that ended so many days ago: 90 or 90d', '90')
    .action(run(async () => (await import('../commands/rows/control.ts')).rowsCleanup, 'config'))
}
