import type { Register } from './register.ts'

/** artdaq: inspect and repair artdaqDB. */
export const artdaqCommands: Register = (program, { run, below }) => {
  const artdaq = program.command('artdaq').description('inspect and repair artdaqDB')
  below(artdaq, 'list', 'the runs that it holds').action(
    run(async () => (await import('../commands/artdaq.ts')).artdaqList),
  )
  below(artdaq, 'show', 'the documents of a run')
    .argument('<run>', 'run number')
    .action(run(async () => (await import('../commands/artdaq.ts')).artdaqShow, 'run'))
  below(artdaq, 'export', "write a run's documents as artdaq's bulkdownloader does")
    .argument('<run>', 'run number')
    .requiredOption('--to <dir>', 'where to')
    .action(run(async () => (await import('../commands/artdaq.ts')).artdaqExport, 'run'))
  below(artdaq, 'check', 'orphans, missing documents, duplicates, damaged files').action(
    run(async () => (await import('../commands/artdaq.ts')).artdaqCheck),
  )
  below(artdaq, 'repair', 'rebuild the indexes from the documents; the old ones are kept').action(
    run(async () => (await import('../commands/artdaq.ts')).artdaqRepair),
  )
  below(artdaq, 'split', 'move runs into another database of the list')
    .argument('<runs>', 'runs, such as 1-5000,7000')
    .requiredOption('--to <uri>', 'the database that they go into, as artdaq_db.database_uri names it')
    .action(run(async () => (await import('../commands/artdaq.ts')).artdaqSplit, 'runs'))
}
