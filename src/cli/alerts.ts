import type { Register } from './register.ts'

/** alerts: what is wrong now, who was notified, and silences. */
export const alertsCommands: Register = (program, { run, below }) => {
  const alerts = program.command('alerts').description('what is wrong now: check, list, silence')
  below(alerts, 'check', 'look at every rule, and send what began or ended').action(
    run(async () => (await import('../commands/alerts.ts')).alertsCheck),
  )
  below(alerts, 'list', 'what fires now, and what is silent')
    .option('--all', 'alerts that have ended too')
    .action(run(async () => (await import('../commands/alerts.ts')).alertsList))
  below(alerts, 'silence', 'record alerts and do not send them, for a time')
    .argument('[rule]', 'the name of a rule; all without it')
    .option('--subject <name>', 'only of this task, stage or path')
    .option('--for <time>', 'how long: 30m, 8h, 2d; 0 ends the silence', '1h')
    .option('--reason <text>', 'why')
    .action(run(async () => (await import('../commands/alerts.ts')).alertsSilence, 'rule'))
}
