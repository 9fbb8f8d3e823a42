import { buildSync } from 'esbuild'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { RunSet } from '../../../src/common/run-set.ts'
import { checkDatabase } from '../../../src/stores/artdaqdb/check.ts'
import { never, openDb, sampleRun, store } from './runs.ts'

let built: string
let folder: string
let path: string
beforeAll(() => {
  built = mkdtempSync(join(tmpdir(), 'artdaq-crash-'))
  buildSync({
    entryPoints: [resolve(import.meta.dirname, 'writer.ts')],
    outfile: join(built, 'writer.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
    },
  })
})
afterAll(() => rmSync(built, { recursive: true, force: true }))
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
  path = join(folder, 'db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Starts a process that stores runs one by one and says so on its output once each is committed. */
const write = (runs: string, env: Readonly<Record<string, string>> = {}) =>
  spawn(process.execPath, [join(built, 'writer.mjs'), path, runs], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })

const acknowledged = async (child: ReturnType<typeof write>): Promise<RunSet> => {
  let said = ''
  child.stdout.on('data', (part: Buffer) => (said += part.toString()))
  await once(child, 'close')
  return RunSet.of(
    said
      .split('\n')
      .filter((line) => /^\d+$/.test(line))
      .map(Number),
  )
}

const stepsOf = (): readonly string[] => {
  const source = resolve('src/stores/artdaqdb')
  const text = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(source, name), 'utf8'))
  const steps = text.join('\n').match(/(?<=\bstep\(')[^']+/g) ?? []
  return steps.filter((step) => !step.startsWith('artdaq-move')) // in move-runs.faults.test.ts
}

describe('a pass that is killed at a step', () => {
  const steps = stepsOf()

  it('is tried at every step that there is', () => {
    expect(steps.length).toBeGreaterThanOrEqual(6)
    expect(new Set(steps).size).toBe(steps.length)
  })

  it.each(steps)('leaves nothing half after "%s", and the next pass makes all of it whole', async (step) => {
    await store(openDb(path), sampleRun(1))
    for (const count of ['1', '3']) {
      const done = await acknowledged(write('2-4', { KILL_AT: step, KILL_COUNT: count }))
      const { runs, incomplete, notes } = await openDb(path).list()
      // What was acknowledged is whole; what is listed as whole can be read whole; the rest is pending or incomplete.
      expect(done.minus(runs).isEmpty).toBe(true)
      for (const run of runs) await openDb(path).read(run, never)
      expect(runs.union(incomplete).minus(RunSet.parse('1-4')).isEmpty).toBe(true)
      expect(notes.filter((note) => note.includes('damaged'))).toEqual([])
    }
    expect((await acknowledged(write('2-4'))).toString()).toBe('2-4')
    const { runs, incomplete, notes } = await openDb(path).list()
    expect([runs.toString(), incomplete.size, notes]).toEqual(['1-4', 0, []])
    for (const run of runs) expect((await openDb(path).read(run, never)).update).toBe(0)
    expect(readdirSync(join(path, 'RunHistory'))).toHaveLength(4 * 3 + 1)
  })
})

describe('passes that are killed at any time', () => {
  it('never lose a run that they said was stored', async () => {
    let done = RunSet.EMPTY
    for (let round = 0; round < 12; round++) {
      const child = write('1-400')
      const said = acknowledged(child)
      // From the first commit on: how long a program takes to load is not what is tested.
      child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), (round * 97) % 400))
      done = done.union(await said)
      const { runs } = await openDb(path).list()
      expect(done.minus(runs).toString()).toBe('')
    }
    expect(done.isEmpty).toBe(false)
    for (const run of done.take(5)) await openDb(path).read(run, never)
  })
})

describe('two processes that store runs at the same time', () => {
  const both = async (env: Readonly<Record<string, string>>) => {
    await store(openDb(path), sampleRun(1))
    await Promise.all([acknowledged(write('100-130', env)), acknowledged(write('200-230', env))])
    return (await openDb(path).list()).runs
  }

  it('lose nothing', async () => {
    expect((await both({})).toString()).toBe('1,100-130,200-230')
  })

  it('lose nothing and store nothing twice where both store the same runs', async () => {
    await store(openDb(path), sampleRun(1))
    const said = await Promise.all([acknowledged(write('100-130')), acknowledged(write('100-130'))])
    expect(said.map(String)).toEqual(['100-130', '100-130'])
    const { runs, incomplete } = await openDb(path).list()
    expect([runs.toString(), incomplete.size]).toEqual(['1,100-130', 0])
    expect(await checkDatabase(openDb(path).databases[0]!, new Set())).toEqual([])
  })

  it('would lose runs without the lock', async () => {
    // The control: a flock that always says yes. If this passed too, the test above would prove nothing.
    const bin = join(folder, 'bin')
    spawnSync('mkdir', [bin])
    writeFileSync(join(bin, 'flock'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
    const runs = await both({ PATH: `${bin}:${process.env['PATH'] ?? ''}` })
    expect(runs.size).toBeLessThan(63)
  })
})

describe('an index that was cut by a crash of another program', () => {
  it('is read from the documents wherever it was cut', async () => {
    await store(openDb(path), sampleRun(1), sampleRun(2))
    const index = join(path, 'RunHistory', 'index.json')
    const whole = readFileSync(index)
    for (let length = 0; length < whole.length; length += 37) {
      writeFileSync(index, whole.subarray(0, length))
      expect((await openDb(path).list()).runs.toString()).toBe('1-2')
    }
  })
})
