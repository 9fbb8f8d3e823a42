import { Option } from 'commander'
import type { Register } from './register.ts'

/** init, extract, verify, diff, audit and daemon: what is done with runs beside a pass. */
export const runCommands: Register = (program, { run, below }) => {
  program
    .command('init')
    .description('write an example configuration and sample run records to try it on')
    .argument('<dir>', 'a new or empty directory')
    .action(run(async () => (await import('../commands/init/init.ts')).init, 'dir'))
  below(
    program,
    'extract',
    'restore a run: its record from artdaqDB, or the sections of its blob from the archive',
  )
    .argument('<run>', 'run number')
    .requiredOption('--to <dir>', 'where to; a new or empty directory')
    .addOption(new Option('--from <place>', 'which copy').choices(['artdaq', 'archive']).default('archive'))
    .action(run(async () => (await import('../commands/extract.ts')).extract, 'run'))
  below(program, 'verify', 'read back and compare run records, artdaqDB and archive')
    .option('--runs <runs>', 'only these runs: 12000-12050,12060')
    .option('--sample <percent>', 'only so many of all runs, by chance: 5%')
    .action(run(async () => (await import('../commands/verify.ts')).verify))
  below(program, 'diff', 'show what differs between the three copies of a run')
    .argument('<run>', 'run number')
    .action(run(async () => (await import('../commands/diff.ts')).diff, 'run'))
  below(
    program,
    'audit',
    'prove the invariant: every run is archived, failed or pending, from the stores alone',
  )
    .option('--deep', 'read every archived run back')
    .action(run(async () => (await import('../commands/audit.ts')).audit))
  below(program, 'scrub', 'compare archived runs with their copies, longest ago first')
    .option('--for <time>', 'no longer than this: 10m')
    .option('--runs <runs>', 'only these runs: 12000-12050,12060')
    .action(run(async () => (await import('../commands/scrub.ts')).scrub))
  const state = program.command('state').description('the state files of several instances')
  below(
    state,
    'merge',
    'join the state files and failure logs of --instance-id into those of a single archiver',
  )
    .option('--wait <seconds>', 'wait for the instances to end instead of giving up at once')
    .action(run(async () => (await import('../commands/merge-state.ts')).mergeState))
  below(program, 'daemon', 'watch the record directory and archive runs as they end')
    .option('-v, --verbose', 'log debug messages too')
    .action(run(async () => (await import('../commands/daemon.ts')).daemon))
}
