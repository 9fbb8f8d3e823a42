import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** `SOAK_MINUTES=10 npx vitest run test/commands/daemon-soak.faults.test.ts` writes 1,000 records in ten minutes. */
const MINUTES = Number(process.env['SOAK_MINUTES'] ?? 0.3)
const COUNT = Math.max(40, Math.round(MINUTES * 100))
const SEED = Number(process.env['SOAK_SEED'] ?? 20_261_122)
const FIRST = 1000
/** Seconds; also how long a test waits for records that never end. */
const INCOMPLETE_AFTER = 8

let state = SEED
const random = (): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31

let site: string
let daemon: ChildProcess
interface Sample {
  /** MB. */
  readonly rss: number
  readonly descriptors: number
}
const samples: Sample[] = []
/** So many samples, a second each, are enough to tell a leak from warming up. */
const TREND = 30
let kills = 0
let messages = ''
/** Daemons that ended and were not killed. */
const ownEnds: string[] = []
let isStopping = false

const start = (): ChildProcess => {
  const child = spawn(process.execPath, [resolve('dist/main.js'), 'daemon'], {
    cwd: site,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  child.stderr.on('data', (text: Buffer) => (messages += text.toString()))
  child.once('exit', (code, signal) => {
    if (signal !== 'SIGKILL' && !isStopping) ownEnds.push(`${code ?? signal}: ${messages.slice(-2000)}`)
  })
  return child
}
const endOf = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((ended) => child.once('exit', ended))

const sample = (pid: number): void => {
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  samples.push({ rss, descriptors: readdirSync(`/proc/${pid}/fd`).length })
}

const archived = (): number[] =>
  readdirSync(join(site, 'archive'), { recursive: true, encoding: 'utf8' })
    .flatMap((name) => /\/(\d+)\.txt$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b)

describe(`a daemon, ${COUNT} records and random kills (SOAK_SEED=${SEED})`, () => {
  beforeAll(
    async () => {
      site = mkdtempSync(join(tmpdir(), 'soak-'))
      writeFileSync(
        join(site, 'config.yaml'),
        `app: {work_dir: work, batch_size: 0, retry_delay_seconds: 0}
source_files: {run_records_dir: run_records, settle_seconds: 1, incomplete_after: ${INCOMPLETE_AFTER}}
artdaq_db: {database_uri: "filesystemdb://\${config_dir}/artdaqdb"}
ucon_db: {server_url: "file://\${config_dir}/archive"}
daemon: {scan_seconds: 3}
`,
      )
      spawnSync('mkdir', [join(site, 'run_records')])
      const seconds = MINUTES * 60
      const writer = spawn(
        process.execPath,
        [
          'test/commands/daemon-writer.mjs',
          join(site, 'run_records'),
          String(FIRST),
          String(COUNT),
          String(seconds),
          String(SEED),
        ],
        { stdio: 'inherit' },
      )
      const written = endOf(writer)
      daemon = start()
      // Killed at random moments for two thirds of the time; then it runs in peace, and is measured.
      const until = performance.now() + (seconds * 2000) / 3
      while (performance.now() < until) {
        await pause(500 + random() * 5000)
        daemon.kill('SIGKILL')
        await endOf(daemon)
        kills++
        daemon = start()
      }
      let isWriting = true
      void written.then(() => (isWriting = false))
      // On a busy machine a start takes seconds: what it takes is not what a daemon gathers.
      const before = archived().length
      for (let look = 0; look < 100 && archived().length === before; look++) await pause(200)
      await pause(5000)
      while (isWriting) {
        sample(daemon.pid!)
        await pause(1000)
      }
      const deadline = performance.now() + (INCOMPLETE_AFTER + 60) * 1000
      while (archived().length < COUNT && performance.now() < deadline) {
        sample(daemon.pid!)
        await pause(1000)
      }
      isStopping = true
      daemon.kill('SIGTERM')
      await endOf(daemon)
      // A run can be in the archive a moment before it is written down; a last pass settles that.
      spawnSync(process.execPath, [resolve('dist/main.js'), 'config.yaml'], { cwd: site })
    },
    MINUTES * 60_000 + 240_000,
  )
  afterAll(() => {
    spawnSync('chmod', ['-R', 'u+w', site])
    rmSync(site, { recursive: true, force: true })
  })

  it('archives every record once', () => {
    expect(kills).toBeGreaterThan(1)
    expect(archived()).toEqual(Array.from({ length: COUNT }, (_, i) => FIRST + i))
    const updates = readdirSync(join(site, 'archive'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\d+-update-\d+/.test(name),
    )
    expect(updates).toEqual([])
  })
  it('archives none early: what ended has its stop time, what did not is whole', () => {
    const blobs = readdirSync(join(site, 'archive'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.txt'),
    )
    for (const name of blobs) {
      const run = Number(/(\d+)\.txt$/.exec(name)?.[1])
      const text = readFileSync(join(site, 'archive', name), 'utf8')
      expect(/stop[_ ]time/i.test(text), `run ${run}`).toBe(run % 10 !== 7)
      for (let part = 0; part < 6; part++) expect(text, `run ${run}`).toContain(`comp0${part}`)
    }
  })
  it('never ends of its own accord', () => expect(ownEnds).toEqual([]))
  it('leaves nothing amiss', () => {
    const { status, stdout } = spawnSync(process.execPath, [resolve('dist/main.js'), 'audit'], {
      cwd: site,
      encoding: 'utf8',
    })
    expect(stdout).toContain(`archived: ${COUNT}`)
    expect(status).toBe(0)
    expect(messages).not.toContain('this is a bug')
  })
  it('keeps its memory and its descriptors', () => {
    const most = (figure: keyof Sample) => Math.max(...samples.map((one) => one[figure]))
    // Passes come and go: what is never given back raises the least of many samples.
    const least = (figure: keyof Sample, part: readonly Sample[]) =>
      Math.min(...part.map((one) => one[figure]))
    const third = Math.max(1, Math.floor(samples.length / 3))
    const growthOf = (figure: keyof Sample): number =>
      least(figure, samples.slice(-third)) - least(figure, samples.slice(0, third))
    const [memory, descriptors] = [growthOf('rss'), growthOf('descriptors')]
    console.log(
      `soak: ${kills} kills; ${memory.toFixed(1)} MB and ${descriptors} descriptors more in ${samples.length} samples, at most ${most('rss').toFixed(1)} MB and ${most('descriptors')}`,
    )
    expect(most('rss')).toBeLessThan(300)
    expect(most('descriptors')).toBeLessThan(80)
    // A few seconds show how a daemon warms up, and no trend.
    if (samples.length < TREND) return
    expect(memory).toBeLessThan(30)
    expect(descriptors).toBeLessThan(5)
  })
})
