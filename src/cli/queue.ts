import type { Register } from './register.ts'

/** worker and queue: several processes on one backlog. */
export const queueCommands: Register = (program, { run, below }) => {
  below(program, 'worker', 'archive runs from the shared backlog, together with other workers')
    .option('--stages <stages>', 'only these: import,migrate', 'import,migrate')
    .option('--until-empty', 'end when nothing is left to do')
    .option('-v, --verbose', 'log debug messages too')
    .action(run(async () => (await import('../commands/worker.ts')).worker))
  const queue = program.command('queue').description('look at the shared backlog, and steer it')
  below(queue, 'status', 'what is left, and which instance holds what').action(
    run(async () => (await import('../commands/queue.ts')).queueStatus),
  )
  below(queue, 'list', 'the items of a stage')
    .option('--stage <stage>', 'import, migrate or records:TASK', 'import')
    .option('--status <status>', 'pending, claimed, done or failed')
    .option('--limit <number>', 'at most so many', '100')
    .action(run(async () => (await import('../commands/queue.ts')).queueList))
  below(queue, 'show', 'one item in each stage')
    .argument('<key>', 'run number, or key of a record')
    .action(run(async () => (await import('../commands/queue.ts')).queueShow, 'key'))
  below(queue, 'retry', 'try failed items again')
    .argument('[key]', 'run number, or key of a record; all without it')
    .option('--stage <stage>', 'only this stage')
    .action(run(async () => (await import('../commands/queue.ts')).queueRetry, 'key'))
  below(queue, 'pause', 'hand out nothing in a stage')
    .argument('<stage>', 'import, migrate or records:TASK')
    .action(run(async () => (await import('../commands/queue.ts')).queuePause, 'stage'))
  below(queue, 'resume', 'go on with a stage')
    .argument('<stage>', 'import, migrate or records:TASK')
    .action(run(async () => (await import('../commands/queue.ts')).queueResume, 'stage'))
  below(queue, 'drain', 'hand out nothing, and wait until nothing is in hand')
    .option('--wait <seconds>', 'at most so long', '300')
    .action(run(async () => (await import('../commands/queue.ts')).queueDrain))
  below(queue, 'migrate', 'make the tables of the queue, or bring them up to date').action(
    run(async () => (await import('../commands/queue.ts')).queueMigrate),
  )
}
