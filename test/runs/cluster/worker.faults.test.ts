import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dropSchema, serverUrl } from '../../queue/postgres-site.ts'
import { Site } from '../../site.ts'

const RUNS = Number(process.env['ARCHIVER_QUEUE_RUNS'] ?? 24)

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts the built program. */
const startArchiver = (...words: string[]) => {
  const child = spawn(process.execPath, [resolve('dist/main.js'), ...words])
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<Ended>((done) =>
    child.on('close', (code) => done({ status: code, stdout, stderr })),
  )
  return { child, ended, log: () => stderr }
}

/** Engines by name, with what a site's configuration says of them. */
const ENGINES = [
  { engine: 'SQLite', url: () => 'sqlite:queue.db' },
  { engine: 'PostgreSQL', url: serverUrl },
]

describe.each(ENGINES)('on $engine', ({ engine, url }) => {
  let site: Site
  const schema = `workers_${process.pid}`
  beforeEach(() => {
    const queue = `queue:\n  url: ${url()}\n  schema: ${schema}\n  lease_seconds: 5`
    site = new Site({ more: `${queue}\nledger:\n  url: "off"` })
    for (let run = 1; run <= RUNS; run++) site.record(run)
    expect(site.command('queue migrate').stderr).toBe('')
  })
  afterEach(async () => {
    site.remove()
    if (engine === 'PostgreSQL') await dropSchema(schema)
  })

  const start = (...flags: string[]) => startArchiver('worker', '--config', site.config, ...flags)

  const status = () =>
    JSON.parse(site.command('queue', 'status', '--json').stdout) as {
      stages: { stage: string; pending: number; claimed: number; done: number; failed: number }[]
      instances: { status: string; done: number; fenced: number; recovered: number }[]
    }

  const everyRun = () => Array.from({ length: RUNS }, (_, i) => String(i + 1)).sort()
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((later) => setTimeout(later, 20))
  }

  /** What must hold once the backlog is empty, whatever happened before. */
  const expectAllArchivedOnce = () => {
    expect([...site.archived()].sort()).toEqual(everyRun())
    const { stages, instances } = status()
    for (const stage of stages) expect(stage).toMatchObject({ pending: 0, claimed: 0, done: RUNS, failed: 0 })
    // Each item was settled by one instance only, in each of the two stages.
    expect(instances.reduce((sum, { done }) => sum + done, 0)).toBe(2 * RUNS)
    for (const stage of ['importer', 'migrator'] as const)
      expect(site.state(stage)).toEqual({ last_contiguous_run: RUNS, last_attempted_run: RUNS })
    const audit = site.command('audit', '--deep')
    expect([audit.status, audit.stdout]).toEqual([0, expect.any(String)])
  }

  describe('three workers on one backlog', () => {
    it('archive every run once, and leave state files that are final', { timeout: 180_000 }, async () => {
      const workers = [start('--until-empty'), start('--until-empty'), start('--until-empty')]
      const ends = await Promise.all(workers.map(({ ended }) => ended))
      expect(ends.map((end) => [end.status, end.status === 0 ? '' : end.stderr])).toEqual([
        [0, ''],
        [0, ''],
        [0, ''],
      ])
      expectAllArchivedOnce()
      // A single pass afterwards finds nothing to do.
      expect(site.archiver('--incremental').stdout).toContain('Nothing new')
    })

    it('of which one is killed: the others take over what it had in hand', { timeout: 180_000 }, async () => {
      const victim = start()
      await until(() => victim.log().includes('successfully'))
      victim.child.kill('SIGKILL')
      await victim.ended
      const others = [start('--until-empty'), start('--until-empty')]
      const ends = await Promise.all(others.map(({ ended }) => ended))
      expect(ends.map((end) => [end.status, end.status === 0 ? '' : end.stderr])).toEqual([
        [0, ''],
        [0, ''],
      ])
      expectAllArchivedOnce()
      expect(status().instances.filter((one) => one.status === 'lost')).toHaveLength(1)
    })
  })

  describe('incremental passes and a daemon, where a backlog is configured', () => {
    it('share the work', { timeout: 180_000 }, async () => {
      const pass = () => startArchiver(site.config, '--incremental')
      const ends = await Promise.all([pass().ended, pass().ended])
      expect(ends.map((end) => [end.status, end.status === 0 ? '' : end.stderr])).toEqual([
        [0, ''],
        [0, ''],
      ])
      expectAllArchivedOnce()
      const counted = ends.map(({ stdout }) => Number(/Migrate: (\d+) archived/.exec(stdout)?.[1]))
      expect(counted[0]! + counted[1]!).toBe(RUNS)
      // And the daemon, with a run that comes later.
      site.record(RUNS + 1)
      const daemon = startArchiver('daemon', '--config', site.config)
      await until(() => site.archived().length === RUNS + 1 || daemon.child.exitCode !== null)
      daemon.child.kill('SIGTERM')
      expect((await daemon.ended).status).toBe(143)
      expect(site.archived()).toContain(String(RUNS + 1))
      expect(status().stages.map(({ done }) => done)).toEqual([RUNS + 1, RUNS + 1])
    })
  })

  describe('a worker and a single pass', () => {
    it('never write at once', { timeout: 60_000 }, async () => {
      const worker = start()
      await until(() => worker.log().includes('Takes runs from the backlog'))
      expect(site.archiver().stderr).toContain('LOCK_HELD')
      worker.child.kill('SIGTERM')
      expect((await worker.ended).status).toBe(143)
    })
  })

  describe('a worker on one stage only', () => {
    it('scans for the others where it leads', { timeout: 180_000 }, async () => {
      const leader = start('--stages', 'migrate')
      await until(() => status().stages.some(({ stage }) => stage === 'import'))
      const importer = start('--stages', 'import')
      await until(() => site.archived().length === RUNS)
      for (const { child } of [leader, importer]) child.kill('SIGTERM')
      await Promise.all([leader.ended, importer.ended])
      expect(status().stages.map(({ done }) => done)).toEqual([RUNS, RUNS])
      expect(site.state('importer')).toEqual({ last_contiguous_run: RUNS, last_attempted_run: RUNS })
    })
  })

  describe('runs that fail', () => {
    it(
      'stand in the failure log and in the queue, and are tried again when asked',
      { timeout: 60_000 },
      async () => {
        site.record('0007')
        const { status: code } = await start('--until-empty').ended
        expect(code).toBe(1)
        expect(readFileSync(site.path('work', 'import_failures.log'), 'utf8')).toBe('7\n')
        expect(site.command('queue', 'show', '7').stdout).toContain('import 7: failed')
        expect(site.command('queue', 'retry').stdout).toContain('1 item')
      },
    )
  })
})
