import type { Command as Program } from 'commander'
import type { Register } from './register.ts'

/** The options that describe a task. */
const described = (command: Program): Program =>
  command
    .requiredOption('--task-name <name>', 'the name of the task; its stage follows from it')
    .option('--total-subtasks <number>', 'how many steps there will be')
    .option('--stage <stage>', 'DAILY, STATIC ...; left out: by the name')
    .option('--type <type>', 'what it is written in: sh, R, python ...')
    .option('--script-path <path>', 'the script')
    .option('--script-file <name>', "the script's name")
    .option('--log-path <path>', 'its log')
    .option('--log-file <name>', "its log's name")
    .option('--parent <run-id>', 'the execution that it is a part of')

/** track: executions of any pipeline, reported and read. */
export const trackCommands: Register = (program, registry) => {
  const track = program.command('track').description('report executions of any pipeline, and read them')
  reportCommands(track, registry)
  readCommands(track, registry)
  tableCommands(track, registry)
}

/** What a pipeline says of itself. */
const reportCommands: Register = (track, { run, below }) => {
  const reports = (name: string, description: string): Program =>
    below(track, name, description).option('--run-id <id>', 'which execution; left out: $RUN_ARCHIVER_RUN_ID')
  const report = () => import('../commands/track/report-commands.ts')
  described(below(track, 'init', 'an execution begins; prints its run id'))
    .option('--run-id <id>', 'a run id of your own')
    .option('--pid <number>', 'the process that is tracked; left out: the one that calls')
    .action(run(async () => (await import('../commands/track/report.ts')).trackInit))
  reports('status', 'set how an execution stands')
    .option('--status <word>', 'RUNNING, FINISHED, FAILED or CANCELLED')
    .option('--sub-state <word>', 'it waits: THROTTLED, BLOCKED or PAUSED; until the next report')
    .option('--current-subtask <number>', 'the step in hand')
    .option('--total-subtasks <number>', 'of how many')
    .option('--subtask-name <text>', 'what the step is called')
    .option('--subtask-status <word>', 'NOT_STARTED, RUNNING, COMPLETED or FAILED')
    .option('--overall-percent <number>', 'the share of the whole, instead of the computed one')
    .option('--overall-message <text>', 'a word about the whole')
    .option('--subtask-percent <number>', 'the share of the step, instead of the computed one')
    .option('--subtask-message <text>', 'a word about the step')
    .option('--items-total <number>', 'items of the step')
    .option('--items-complete <number>', 'how many of them are done')
    .action(run(async () => (await report()).trackStatus))
  reports('enter', 'a step begins')
    .argument('<message>', 'what it does')
    .action(run(async () => (await report()).trackEnter, 'message'))
  reports('exit', 'the innermost open step is completed')
    .option('--failed', 'it failed')
    .action(run(async () => (await report()).trackExit))
  reports('message', 'a word about the step in hand')
    .argument('<message>', 'the text, as it is')
    .action(run(async () => (await report()).trackMessage, 'message'))
  reports('progress', 'how far the step in hand is')
    .argument('[complete]', 'items that are done')
    .argument('[total]', 'of how many')
    .option('--add <number>', 'so many more items are done')
    .option('--message <text>', 'a word about it')
    .action(run(async () => (await report()).trackProgress, 'complete', 'total'))
  reports('finish', 'the end: FINISHED')
    .argument('[message]', 'a last word')
    .option('--failed <number>', 'items that failed: it is FINISHED and partial then')
    .action(run(async () => (await report()).trackFinish, 'message'))
  reports('error', 'the end: FAILED')
    .argument('<message>', 'what is wrong')
    .option('--detail <text>', 'a stack, or what else helps')
    .action(run(async () => (await report()).trackError, 'message'))
  described(below(track, 'run', 'run a command and report it: output, exit code and signals pass unchanged'))
    .option('--no-log', 'keep no copy of its output')
    .argument('[command...]', 'after --: the command and its arguments')
    .action(run(async () => (await import('../commands/track/run.ts')).trackRun, 'command'))
  below(track, 'pipe', 'report events that are read as JSON lines from standard input').action(
    run(async () => (await import('../commands/track/pipe.ts')).trackPipe),
  )
}

/** What is read of executions, and the one wish that others have of them. */
const readCommands: Register = (track, { run, below }) => {
  const read = () => import('../commands/track/read.ts')
  const lists = (name: string, description: string, most = '50'): Program =>
    below(track, name, description)
      .option('--task <name>', 'only this task')
      .option('--stage <stage>', 'only this stage')
      .option('--status <words>', 'only these: RUNNING,FAILED')
      .option('--since <duration>', 'only what began since: 24h, 7d')
      .option('--limit <number>', `at most so many; left out: ${most}`)
  lists('current', 'the newest execution of each task').action(run(async () => (await read()).trackCurrent))
  lists('list', 'executions, the newest first')
    .option('--running-longer <duration>', 'only what has been running for longer: 30m')
    .action(run(async () => (await read()).trackList))
  lists('export', 'one JSON line for each execution', 'all').action(
    run(async () => (await read()).trackExport),
  )
  below(track, 'history', 'past executions of a task, the newest first')
    .argument('[task]', 'left out: of all')
    .option('--since <duration>', 'only what began since: 24h, 7d')
    .option('--by-day', 'how many each day had, how many failed, how long they took')
    .option('--limit <number>', 'at most so many; left out: 50, with --by-day all')
    .action(run(async () => (await read()).trackHistory, 'task'))
  below(track, 'stats', 'success rate and durations by task')
    .argument('[task]', 'left out: of all')
    .option('--since <duration>', 'since then', '30d')
    .action(run(async () => (await read()).trackStats, 'task'))
  below(track, 'show', 'one execution: progress, steps, events')
    .argument('<id>', 'run id or number')
    .action(run(async () => (await read()).trackShow, 'id'))
  below(track, 'tail', 'the end of its log')
    .argument('<id>', 'run id')
    .option('--lines <number>', 'so many lines', '50')
    .action(run(async () => (await read()).trackTail, 'id'))
  below(track, 'cancel', 'ask a running execution to stop')
    .argument('<id>', 'run id')
    .action(run(async () => (await read()).trackCancel, 'id'))
}

/** What is expected of tasks, and the care for the tables. */
const tableCommands: Register = (track, { run, below }) => {
  const task = () => import('../commands/track/task.ts')
  below(
    track,
    'task',
    'register what is expected of a task: when it starts, how long it takes, what it needs',
  )
    .argument('<name>', 'the task')
    .option('--schedule <when>', 'HH:MM of each day in UTC, minutes between two starts, or none')
    .option('--grace <minutes>', 'how late it may start')
    .option('--expected <minutes>', 'how long it takes')
    .option('--depends-on <tasks>', 'tasks that must end before it: A,B')
    .option('--stage <stage>', 'its stage')
    .option('--type <type>', 'what it is written in')
    .option('--total-subtasks <number>', 'how many steps it has')
    .option('--order <number>', 'its place in its stage')
    .option('--description <text>', 'what it does')
    .option('--disable', 'expect nothing of it')
    .option('--enable', 'expect it again')
    .action(run(async () => (await task()).trackTask, 'name'))
  below(track, 'archive', 'move executions that ended long ago to the history table')
    .option('--older-than <duration>', 'that ended so long ago', '90d')
    .option('--dry-run', 'only count them')
    .action(run(async () => (await task()).trackArchive))
  below(track, 'migrate-schema', 'make the tables, or bring them to this version').action(
    run(async () => (await import('../commands/track/read.ts')).trackMigrateSchema),
  )
}
