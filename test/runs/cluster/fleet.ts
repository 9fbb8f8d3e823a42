import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { BacklogOverview } from '../../../src/engine/backlog-overview.ts'
import { Site } from '../../site.ts'

export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  readonly log: () => string
}

export interface StartOptions {
  /** Instead of the site's configuration. */
  readonly config?: string
  /** Variables beside those of the tests. */
  readonly env?: Readonly<Record<string, string>>
  /** Words before the program, such as those that put it on another machine. */
  readonly before?: readonly string[]
}

/** Starts the built program and leaves it running. */
export const startArchiver = (
  words: readonly string[],
  { env = {}, before = [] }: StartOptions = {},
): Started => {
  const [program = '', ...rest] = [...before, process.execPath, resolve('dist/main.js'), ...words]
  const child = spawn(program, rest, { env: { ...process.env, ...env } })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<Ended>((done) =>
    child.on('close', (status) => done({ status, stdout, stderr, at: Date.now() })),
  )
  return { child, ended, log: () => stderr }
}

export const until = async (
  condition: () => boolean | undefined | Promise<boolean | undefined>,
  every = 20,
): Promise<void> => {
  while (!(await condition())) await sleep(every)
}

/** `NODE_OPTIONS` that moves a process's clock by milliseconds. */
export const clockMovedBy = (milliseconds: number): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`const now = Date.now; Date.now = () => now() + ${milliseconds}`)}`,
})

export interface FleetOptions {
  readonly url: string
  readonly schema: string
  readonly leaseSeconds?: number
  readonly scanSeconds?: number
  readonly ucon?: string
}

/** A site with a shared backlog, and workers on it. */
export class Fleet {
  readonly site: Site
  readonly started: Started[] = []
  runs = 0

  private constructor({ url, schema, leaseSeconds = 5, scanSeconds = 2, ucon }: FleetOptions) {
    const queue = `queue:\n  url: ${url}\n  schema: ${schema}\n  lease_seconds: ${leaseSeconds}`
    const more = `${queue}\nledger:\n  url: "off"\ndaemon:\n  scan_seconds: ${scanSeconds}`
    this.site = new Site({ more, ...(ucon === undefined ? {} : { ucon }) })
  }

  static async open(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options)
    const { status, stderr } = await fleet.command('queue', 'migrate')
    expect([status, stderr]).toEqual([0, ''])
    return fleet
  }

  /** Runs a command to its end. The test goes on meanwhile: servers and proxies in it must answer. */
  command(...words: string[]): Promise<Ended> {
    return startArchiver([...words, '--config', this.site.config]).ended
  }

  /** More run records, whose numbers go on. */
  records(count: number): void {
    for (let i = 0; i < count; i++) this.site.record(++this.runs)
  }

  start(flags: readonly string[] = [], options: StartOptions = {}): Started {
    const { config = this.site.config } = options
    const one = startArchiver(['worker', '--config', config, ...flags], options)
    this.started.push(one)
    return one
  }

  async status(): Promise<BacklogOverview> {
    const { stdout, stderr } = await this.command('queue', 'status', '--json')
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout) as BacklogOverview
  }

  /** Waits until so many instances have registered. */
  async running(count: number): Promise<void> {
    while ((await this.status()).instances.filter(({ status }) => status === 'running').length < count)
      await sleep(100)
  }

  /**
   * What must hold once the backlog is empty, whatever happened before. After kills of all workers, runs that nobody had compared are put
   * again, which compares them: then a run may be settled `again`.
   */
  async expectAllArchivedOnce({ again = false } = {}): Promise<void> {
    const { site, runs } = this
    const everyRun = Array.from({ length: runs }, (_, i) => String(i + 1))
    expect(site.archived()).toEqual(everyRun)
    const { stages, instances } = await this.status()
    for (const stage of stages) expect(stage).toMatchObject({ pending: 0, claimed: 0, done: runs, failed: 0 })
    // Each item was settled by one instance only, in each of the two stages.
    const settled = instances.reduce((sum, { done }) => sum + done, 0)
    if (again) expect(settled).toBeGreaterThanOrEqual(2 * runs)
    else expect(settled).toBe(2 * runs)
    for (const stage of ['importer', 'migrator'] as const)
      expect(site.state(stage)).toEqual({ last_contiguous_run: runs, last_attempted_run: runs })
    expect([site.failures('import'), site.failures('migrate')]).toEqual(['', ''])
    const audit = await this.command('audit', '--deep')
    expect([audit.status, audit.stdout]).toEqual([0, expect.any(String)])
  }

  /** Ends what is left, by its id. */
  async close(): Promise<void> {
    for (const { child } of this.started) if (child.exitCode === null) child.kill('SIGKILL')
    await Promise.all(this.started.map(({ ended }) => ended))
    this.site.remove()
  }
}
