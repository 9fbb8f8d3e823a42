import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'
import { auditOf, crashAt, killAfter, troubleOf } from './harness.ts'
import { compileShim } from './shim.ts'

const sites: Site[] = []
afterEach(() => {
  for (const site of sites.splice(0)) site.remove()
})
const siteOf = (
  runs: number,
  settings: ConstructorParameters<typeof Site>[0] = { app: '  batch_size: 0' },
): Site => {
  const site = new Site(settings)
  sites.push(site)
  for (let run = 1; run <= runs; run++) site.record(run)
  return site
}
const all = (runs: number): string[] => Array.from({ length: runs }, (_, i) => String(i + 1))
const untilAtWork = async (site: Site): Promise<void> => {
  // The file is there a moment before its text is.
  const owner = site.path('work', '.archiver.owner.json')
  while (!existsSync(owner) || readFileSync(owner, 'utf8') === '') await setTimeout(5)
}
const PROGRAM = 'dist/main.js'

describe('a process that is paused in the middle of a pass', () => {
  it('is still the only one, and goes on where it was', async () => {
    const site = siteOf(30)
    const child = site.start()
    await untilAtWork(site)
    child.kill('SIGSTOP')
    await setTimeout(3000) // longer than any timer of the lock
    const other = site.archiver()
    expect([other.status, other.stdout + other.stderr]).toEqual([
      1,
      expect.stringContaining(`pid ${child.pid ?? 0}`),
    ])
    child.kill('SIGCONT')
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(await troubleOf(site)).toEqual([])
    expect(site.archived()).toEqual(all(30))
  })

  it('writes no state when it wakes up and another has taken its place, because the lock was removed under it', async () => {
    const site = siteOf(30)
    const child = site.start('--import-only')
    await untilAtWork(site)
    child.kill('SIGSTOP')
    for (const name of ['.archiver.lock', '.archiver.flock', '.archiver.owner.json'])
      rmSync(site.path('work', name), { force: true })
    const exit = once(child, 'exit') as Promise<[number | null, string | null]>
    expect(site.archiver('--import-only').status).toBe(0)
    const state = readFileSync(site.path('work', 'importer_state.json'), 'utf8')
    child.kill('SIGCONT')
    expect((await exit)[0]).not.toBe(0)
    expect(readFileSync(site.path('work', 'importer_state.json'), 'utf8')).toBe(state)
    expect(await troubleOf(site)).toEqual([])
  })
})

describe('sixteen starts at once, after a kill', () => {
  it('end in one that works and fifteen that say who does, or that there is nothing to do', async () => {
    const site = siteOf(12)
    killAfter(site, [], 20, 0)
    const children = Array.from({ length: 16 }, () => site.start('--incremental'))
    const codes = await Promise.all(
      children.map((child) => once(child, 'exit').then(([code]) => code as number)),
    )
    expect(codes.filter((code) => code === 0).length).toBeGreaterThan(0)
    expect(codes.every((code) => code === 0 || code === 1)).toBe(true)
    site.archiver('--incremental')
    expect(site.archived()).toEqual(all(12))
    expect(await troubleOf(site)).toEqual([])
    expect(
      readdirSync(site.path('work')).filter((name) => /\.(lock|owner\.json|\d{6,})$/.test(name)),
    ).toEqual([])
  })
})

const shim = compileShim('a read that never returns')
describe.skipIf(shim === undefined)('a read that never returns, as on a hung network disk', () => {
  it.each([
    { where: 'in the thread pool', runs: 6, hung: 4 },
    { where: 'in a worker thread, which passes over many runs have', runs: 30, hung: 24 },
  ])(
    'holds nothing up after the grace that SIGTERM gives, $where: the process ends itself, and its runs are pending',
    async ({ runs, hung }) => {
      const site = siteOf(runs, { app: '  batch_size: 0\n  shutdown_grace_seconds: 1' })
      const child = spawn(process.execPath, [PROGRAM, site.config], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, LD_PRELOAD: shim, FAULT: `open:-3:1:${site.path('records', String(hung))}` },
      })
      await untilAtWork(site)
      await setTimeout(1000)
      const began = performance.now()
      child.kill('SIGTERM')
      expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
      expect(performance.now() - began).toBeLessThan(8000)
      expect(await troubleOf(site)).toEqual([])
      expect(site.archiver().status).toBe(0)
      expect(site.archived()).toEqual(all(runs))
    },
  )
})

describe.skipIf(shim === undefined)('the same in a command that only reads', () => {
  it.each(['verify', 'audit'])('holds %s up for some seconds at most after SIGTERM', async (name) => {
    const site = siteOf(2)
    expect(site.archiver().status).toBe(0)
    const child = spawn(process.execPath, [PROGRAM, name, '--config', site.config], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LD_PRELOAD: shim, FAULT: `open:-3:1:${site.path('records', '1')}` },
    })
    await setTimeout(3000)
    expect(child.exitCode).toBeNull()
    const began = performance.now()
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    expect(performance.now() - began).toBeLessThan(15_000)
  })
})

describe.skipIf(shim === undefined)('a disk of artdaqDB that is full', () => {
  it.each([
    { where: 'on the main thread', runs: 3, nth: 8 },
    { where: 'in worker threads', runs: 30, nth: 90 },
  ])('stops the pass and blames no run, $where', async ({ runs, nth }) => {
    const site = siteOf(runs)
    const full = `write:-1:${nth}:${site.path('db')}/.archiver`
    const { status, stdout } = site.program([site.config, '--import-only'], {
      LD_PRELOAD: shim ?? '',
      FAULT: full,
    })
    expect(status).toBe(1)
    expect(stdout).toMatch(/stopped: artdaqDB .*ENOSPC/)
    expect(site.failures('import')).toBe('')
    expect(await troubleOf(site)).toEqual([])
    expect(site.archiver().status).toBe(0)
    expect(site.archived()).toEqual(all(runs))
  })
})

describe('a run that takes longer than those above it', () => {
  it.each([
    {
      when: 'in the next pass, before its first run',
      words: ['--migrate-only'],
      step: 'state: saved',
      nth: 1,
    },
    {
      when: 'in the next incremental pass',
      words: ['--migrate-only', '--incremental'],
      step: 'state: saved',
      nth: 1,
    },
  ])(
    'is not passed by last_attempted_run after a kill that left them without it, nor after one $when',
    async ({ words, step, nth }) => {
      const site = siteOf(0, { app: '  batch_size: 0', more: 'ledger:\n  url: off' })
      site.record(1, { files: { 'long.txt': Buffer.alloc(20_000_000, 'a long text, line by line\n') } })
      for (const run of [2, 3, 4]) site.record(run)
      site.archiver('--import-only')
      expect(crashAt(site, ['--migrate-only'], 'directory-archive: checksum published', 1).signal).toBe(
        'SIGKILL',
      )
      const archived = (await auditOf(site)).stages.find(({ stage }) => stage === 'migrate')?.archived
      expect(archived, 'run 1 was to be the slowest').toMatch(/^[2-4,-]+$/)
      expect(crashAt(site, words, step, nth).signal).toBe('SIGKILL')
      expect(await troubleOf(site)).toEqual([])
      expect(site.archiver('--migrate-only').status).toBe(0)
      expect(site.state('migrator')).toEqual({ last_contiguous_run: 4, last_attempted_run: 4 })
    },
  )
})

describe('output that goes nowhere', () => {
  it.each(['| head -1', '>/dev/full 2>&1', '>&- 2>&-'])(
    'does not keep a pass from its work: %s',
    async (where) => {
      const site = siteOf(3)
      spawnSync('sh', ['-c', `"${process.execPath}" ${PROGRAM} ${site.config} -v ${where}`])
      expect(site.archived()).toEqual(all(3))
      expect(await troubleOf(site)).toEqual([])
    },
  )
})

describe('a clock that is wrong', () => {
  it.each([
    ['ten years slow', '-3.2e11'],
    ['ten years fast', '3.2e11'],
    ['jumping by a day at each look', '(n = -n || 86400000)'],
  ])('by being %s changes nothing but times that are shown', async (_, offset) => {
    const site = siteOf(3, { source: '  settle_seconds: 0\n  incomplete_after: 0' })
    const shift = `let n = 0; const now = Date.now; Date.now = () => now() + (${offset})`
    const env = {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shift)}`,
      TZ: 'Pacific/Apia',
    }
    site.program([site.config], env)
    expect(await troubleOf(site)).toEqual([])
    site.archiver()
    expect(site.archived()).toEqual(all(3))
    expect(await troubleOf(site)).toEqual([])
  })
})

const TRIAL = 'mount -t tmpfs none /mnt && mount -t tmpfs -o remount,ro none /mnt'
const canMount = spawnSync('unshare', ['-rm', 'sh', '-c', TRIAL]).status === 0
if (!canMount) console.warn('SKIPPED: full and read-only disks, because nothing can be mounted here')

describe.skipIf(!canMount)('a disk that is full, read-only, or without inodes', () => {
  /** Runs the program with a small disk in place of its work_dir, and says what is on it afterwards. */
  const onDisk = (
    site: Site,
    options: string,
    before = '',
  ): { status: number | null; output: string; state: string } => {
    const work = site.path('work')
    mkdirSync(work, { recursive: true })
    const script = `mount -t tmpfs -o ${options} none ${work} && cp -r ${site.path('kept')}/. ${work}/ 2>/dev/null; ${before}
      "${process.execPath}" ${PROGRAM} ${site.config} --incremental; code=$?; cat ${work}/importer_state.json >${site.path('state')} 2>/dev/null; exit $code`
    const { status, stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', script], { encoding: 'utf8' })
    return {
      status,
      output: stdout + stderr,
      state: existsSync(site.path('state')) ? readFileSync(site.path('state'), 'utf8') : '',
    }
  }
  const STATE = '{"last_contiguous_run": 0, "last_attempted_run": 0}'
  const prepared = (): Site => {
    const site = siteOf(0)
    mkdirSync(site.path('kept'))
    writeFileSync(site.path('kept', 'importer_state.json'), STATE)
    for (const name of ['2', '02']) site.record(name)
    return site
  }

  it.each([
    // By device and folder: by the folder alone, mount adds the user's number, which is none in there.
    ['read-only', 'size=1m', (work: string) => `mount -t tmpfs -o remount,ro none ${work};`],
    ['without room', 'size=64k', (work: string) => `dd if=/dev/zero of=${work}/filler 2>/dev/null;`],
    ['without inodes', 'size=1m,nr_inodes=3', (work: string) => `touch ${work}/one ${work}/two 2>/dev/null;`],
  ])('that is %s ends the pass with an error, with the old state whole', (_, options, before) => {
    const site = prepared()
    site.record(1)
    const { status, output, state } = onDisk(site, options, before(site.path('work')))
    expect(status, output).toBe(1)
    expect(state).toBe(STATE)
    rmSync(site.path('work'), { recursive: true })
    rmSync(site.path('records', '02'), { recursive: true })
    expect(site.archiver().status).toBe(0)
    expect(site.archived()).toEqual(['1', '2'])
  })
})
