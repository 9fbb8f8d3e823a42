import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fillHistory } from './history.ts'
import { fillRecords } from './records.ts'
import { dropRows, fillRows } from './rows.ts'

/** A task of steps, progress and a log, for about ten minutes. */
const WORK = `
const steps = ['load sector files', 'join hits and channels', 'write merged table', 'index']
let step = 0
let done = 0
console.log('::step ' + steps[0])
setInterval(() => {
  done += 1
  console.log('::progress ' + done + '/300 sector_' + String(done).padStart(3, '0') + '.csv')
  console.log(new Date().toISOString() + (done % 90 === 40 ? ' WARNING sector has 2 late hits' : ' INFO sector ' + done + ' merged, ' + (1200 + (done * 37) % 500) + ' hits'))
  if (done < 300) return
  console.log('::end')
  done = 0
  step += 1
  if (step === steps.length) process.exit(0)
  console.log('::step ' + steps[step])
}, 500)
`

/** Milliseconds between two new runs, and the last of them: an hour. */
const NEW_RUN_EVERY = 12_000
const LAST_RUN = 1375

/** Milliseconds between two executions of it. */
const PAUSE = 5000

export interface Demo {
  readonly config: string
  /** Ends what runs. */
  stop(): Promise<void>
}

export interface DemoOptions {
  /** The words that start the program. */
  readonly program: readonly string[]
  /** A database of a MariaDB, MySQL or PostgreSQL server in which the demo may make tables; left out: no rows. */
  readonly rowsUrl?: string | undefined
  readonly say: (line: string) => void
}

/**
 * Makes a site to look at in a folder that is new: run records of which one fails, what a queue did, tasks with 30 days of made-up history,
 * records of which one fails, and, where there is a server for them, rows with a conflict. Everything but the history is done by the program.
 */
export const makeDemo = async (folder: string, { program, rowsUrl, say }: DemoOptions): Promise<Demo> => {
  const [file = '', ...first] = program
  const site = join(folder, 'site')
  const config = join(site, 'config.yaml')
  const table = `demo_readings_${process.pid}`
  const run = (words: readonly string[], codes: readonly number[] = [0]): string => {
    const { status, stdout, stderr } = spawnSync(file, [...first, ...words], { encoding: 'utf8', cwd: site })
    if (status === null || !codes.includes(status))
      throw new Error(`run-archiver ${words.join(' ')} ended with ${String(status)}: ${stderr}${stdout}`)
    return stdout
  }
  mkdirSync(folder, { recursive: true })
  spawnSync(file, [...first, 'init', site], { stdio: 'ignore' })
  appendFileSync(
    config,
    [
      '',
      'queue:',
      '  url: sqlite:queue.db',
      'daemon:',
      '  scan_seconds: 10',
      'serve:',
      '  site: demo-detector',
      `  log_roots: ["\${config_dir}/work/tracking/logs"]`,
      'records:',
      '  tasks: { batches: batches.yaml }',
      '  source_files: inbox',
      '  target_url: sqlite:../batches.db',
      ...(rowsUrl === undefined
        ? []
        : [
            'rows:',
            `  source: ${rowsUrl}`,
            `  table: ${table}`,
            `  archive_table: ${table}_archive`,
            '  files: "${config_dir}/ids/*.csv"',
            '  batch_size: 40',
            // Long enough for its rate to be one.
            '  sleep: 100ms',
          ]),
      '',
    ].join('\n'),
  )
  chmodSync(config, 0o640)
  const records = join(site, 'run_records')
  const copy = (from: number, to: number): void => {
    for (let number = from; number <= to; number++)
      if (number % 17 !== 5)
        cpSync(join(records, '1001'), join(records, String(number)), {
          recursive: true,
          preserveTimestamps: true,
        })
  }
  say('run records: a pass archives them, and one fails')
  copy(1010, 1060)
  cpSync(join(records, '1001'), join(records, '01012'), { recursive: true, preserveTimestamps: true })
  run([config], [0, 1])
  say('a worker takes the rest from the queue')
  copy(1061, 1075)
  run(['worker', '--until-empty', '--config', config], [0, 1])
  say('records: two payloads into tables, and one that fails')
  fillRecords(site)
  run(['records', 'run', 'batches', '--config', config], [1])
  if (rowsUrl === undefined) say('rows: left out, they need a database server (--rows URL)')
  else {
    say('rows: moved to their archive table, with one conflict')
    await fillRows(rowsUrl, table, join(site, 'ids'))
    run(['rows', 'run', config], [0, 1])
  }
  const worker = workWhileOpen([...program, 'worker', '--config', config])
  say('tasks: 30 days of made-up history, and one that runs now')
  await fillHistory(join(site, 'work'))
  const tasks: readonly (readonly string[])[] = [
    ['PREREQ_01_conditions'],
    ['PREREQ_02_geometry'],
    ['DAILY_01_pedestals', '--depends-on=PREREQ_01_conditions'],
    ['DAILY_02_merge_hits', '--depends-on=DAILY_01_pedestals,PREREQ_02_geometry'],
    ['DAILY_03_dqm_plots', '--depends-on=DAILY_01_pedestals'],
    ['DAILY_04_publish', '--depends-on=DAILY_02_merge_hits,DAILY_03_dqm_plots'],
  ]
  for (const words of tasks) run(['track', 'task', ...words, '--config', config])
  const fails = ['track', 'run', '--task-name=PERIODIC_01_backup_check', '--config', config, '--']
  run([...fails, 'sh', '-c', 'echo "backup.tar: sum differs" >&2; exit 3'], [3])
  run(['alerts', 'silence', 'duration', '--for=2d', '--reason=new join is slow', '--config', config])
  run(['alerts', 'check', '--config', config], [0, 1])
  writeFileSync(join(site, 'work.mjs'), WORK)
  const work = workWhileOpen([
    ...program,
    ...['track', 'run', '--task-name=DAILY_02_merge_hits', '--total-subtasks=4', '--config', config],
    ...['--', process.execPath, join(site, 'work.mjs')],
  ])
  // New runs come as from a detector, so that the worker has something to do.
  let newest = 1075
  const detector = setInterval(() => {
    newest += 1
    copy(newest, newest)
    if (newest === LAST_RUN) clearInterval(detector)
  }, NEW_RUN_EVERY)
  return {
    config,
    stop: async () => {
      clearInterval(detector)
      await Promise.all([work.end(), worker.end()])
      if (rowsUrl !== undefined) await dropRows(rowsUrl, table)
    },
  }
}

/** Runs a command again as often as it ends, so that a page that is open for long has something that runs. */
const workWhileOpen = ([file = '', ...words]: readonly string[]): { end(): Promise<void> } => {
  const stop = new AbortController()
  const { signal } = stop
  const gone = (async () => {
    while (!signal.aborted) {
      const child = spawn(file, words, { stdio: 'ignore' })
      signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true })
      await once(child, 'exit')
      await setTimeout(PAUSE, undefined, { signal }).catch(() => undefined)
    }
  })()
  return {
    end: () => {
      stop.abort()
      return gone
    },
  }
}

/** The program that was built beside this checkout. */
export const builtProgram = (): readonly string[] => [process.execPath, resolve('dist/main.js')]

export const removeDemo = (folder: string): void => rmSync(folder, { recursive: true, force: true })
