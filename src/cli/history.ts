import type { Register } from './register.ts'

/** history: who ran, how far, how it ended. */
export const historyCommands: Register = (program, { run, below }) => {
  const history = program.command('history').description('who ran, how far, how it ended')
  history
    .option('--config <file>', 'configuration file', 'config.yaml')
    .option('--json', 'one JSON document on standard output')
    .option('--since <time>', 'executions since then: 24h, 7d, 2026-11-21')
    .option('--status <words>', 'only these: KILLED,TERMINATED')
    .option('--limit <number>', 'at most so many')
    .action(run(async () => (await import('../commands/history.ts')).history))
  below(history, 'show', 'one execution')
    .argument('<id>', 'number or uuid')
    .action(run(async () => (await import('../commands/history.ts')).historyShow, 'id'))
  below(history, 'prune', 'remove what is older than ledger.keep_days').action(
    run(async () => (await import('../commands/history.ts')).historyPrune),
  )
  below(history, 'stats', 'runs, kills, reboots and rates by day (UTC)')
    .option('--since <time>', 'since then', '7d')
    .action(run(async () => (await import('../commands/history.ts')).historyStats))
}
