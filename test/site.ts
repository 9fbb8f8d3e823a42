import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fitsThread, type Result, runBeside, runInThread } from './command-thread.ts'

export type { Result }

const PROGRAM = resolve('dist/main.js')
const START = '\nDAQInterface start time: Fri Oct  3 12:00:41 UTC 2025\n'
const STOP = '\nDAQInterface stop time: Fri Oct  3 15:42:07 UTC 2025\n'

/** Runs the built program to its end, in a thread where no process is meant (`fitsThread`), which takes a tenth of the time. */
export const runProgram = (words: readonly string[]): Result =>
  fitsThread(words) ? runInThread(words) : runProcess(words)

/** Runs the built program to its end as a process, as its users do. */
const runProcess = (words: readonly string[], env: Record<string, string> = {}): Result =>
  spawnSync(process.execPath, [PROGRAM, ...words], { encoding: 'utf8', env: { ...process.env, ...env } })

/** `runProgram`, while servers of this process go on. */
export const programBeside = (words: readonly string[]): Promise<Result> =>
  fitsThread(words)
    ? runBeside(words)
    : new Promise((ended) => {
        const child = spawn(process.execPath, [PROGRAM, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
        let [stdout, stderr] = ['', '']
        child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
        child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
        child.once('close', (status, signal) => ended({ status, signal, stdout, stderr }))
      })

const NO_FILES: Readonly<Record<string, string | Buffer>> = {}

/** A whole site in a temporary folder, and the built program to run on it: what a user has after the first pages of the README. */
export class Site {
  readonly root = mkdtempSync(join(tmpdir(), 'archiver-site-'))
  readonly config = this.path('config.yaml')
  /** The main command, as the program recommends it where a test starts it. */
  readonly run = `node ${PROGRAM} ${this.config}`

  constructor(
    settings: { app?: string; source?: string; artdaq?: string; ucon?: string; more?: string } = {},
  ) {
    mkdirSync(this.path('records'))
    writeFileSync(
      this.config,
      [
        'app:',
        `  work_dir: ${this.path('work')}`,
        '  retry_delay_seconds: 0',
        settings.app ?? '',
        'source_files:',
        `  run_records_dir: ${this.path('records')}`,
        settings.source ?? '  settle_seconds: 0',
        'artdaq_db:',
        settings.artdaq ?? `  database_uri: filesystemdb://${this.path('db')}`,
        'ucon_db:',
        settings.ucon ?? `  server_url: file://${this.path('archive')}`,
        settings.more ?? '',
      ].join('\n'),
    )
  }

  path(...names: string[]): string {
    return join(this.root, ...names)
  }

  /** Writes a run record, as DAQInterface does; its times lie an hour back, so that it has settled. */
  record(run: number | string, { ended = true, files = NO_FILES, ageSeconds = 3600 } = {}): void {
    const directory = this.path('records', String(run))
    mkdirSync(directory, { recursive: true })
    const metadata = `Config name: demo\nComponent #0: tpc01\n${START}${ended ? STOP : ''}`
    const all = {
      'metadata.txt': metadata,
      'tpc01.fcl': `daq: {\n  run: ${Number(run)} # which\n}\n`,
      'boot.txt': 'debug level: 1\n',
      ...files,
    }
    for (const [name, content] of Object.entries(all)) writeFileSync(join(directory, name), content)
    this.age(run, ageSeconds)
  }

  /** The stop line that DAQInterface appends when a run ends. */
  end(run: number): void {
    writeFileSync(this.path('records', String(run), 'metadata.txt'), STOP, { flag: 'a' })
    this.age(run, 1800)
  }

  age(run: number | string, seconds: number): void {
    const then = Date.now() / 1000 - seconds
    const directory = this.path('records', String(run))
    if (existsSync(join(directory, 'metadata.txt'))) utimesSync(join(directory, 'metadata.txt'), then, then)
    utimesSync(directory, then, then)
  }

  /** Runs the built program on this site's configuration to its end. */
  archiver(...flags: string[]): Result {
    return this.program([this.config, ...flags])
  }

  /** Runs a subcommand. */
  command(name: string, ...words: string[]): Result {
    return this.program([...name.split(' '), ...words, '--config', this.config])
  }

  /**
   * Runs the built program to its end, as `runProgram`. With `env`, variables of the program beside those of this process, always as a process.
   */
  program(words: readonly string[], env?: Record<string, string>): Result {
    return env === undefined ? runProgram(words) : this.process(words, env)
  }

  /** Runs the built program to its end as a process, as its users do. */
  process(words: readonly string[], env: Record<string, string> = {}): Result {
    return runProcess(words, env)
  }

  /** Starts the built program and leaves it running. */
  start(...flags: string[]): ChildProcess {
    return spawn(process.execPath, [PROGRAM, this.config, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  }

  state(stage: 'importer' | 'migrator'): unknown {
    return JSON.parse(readFileSync(this.path('work', `${stage}_state.json`), 'utf8'))
  }

  failures(stage: 'import' | 'migrate'): string {
    const path = this.path('work', `${stage}_failures.log`)
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }

  /** The keys in the directory archive, sorted as numbers. */
  archived(): string[] {
    if (!existsSync(this.path('archive'))) return []
    return readdirSync(this.path('archive'), { recursive: true, encoding: 'utf8' })
      .map((name) => /([^/]+)\.txt$/.exec(name)?.[1])
      .filter((key) => key !== undefined && /^\d/.test(key))
      .sort((a, b) => parseInt(a!) - parseInt(b!) || a!.length - b!.length) as string[]
  }

  remove(): void {
    spawnSync('chmod', ['-R', 'u+rwX', this.root])
    rmSync(this.root, { recursive: true, force: true })
  }
}
