import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RunSet } from '../../../src/common/run-set.ts'
import { checkDatabase } from '../../../src/stores/artdaqdb/check.ts'
import { never, openDb, sampleRun, store } from './runs.ts'

const STEPS = [
  ['artdaq-move: documents placed', 1],
  ['artdaq-move: index written', 1],
  ['artdaq-move: target named them', 1],
  ['artdaq-move: index written', 3],
  ['artdaq-move: source forgot them', 1],
] as const

let folder: string
let older: string
let newer: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'artdaq-move-'))
  older = join(folder, '2025')
  newer = join(folder, 'db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const move = (env: Readonly<Record<string, string>> = {}) =>
  spawnSync(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, 'mover.ts'), older, newer, '1-3'],
    {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      encoding: 'utf8',
    },
  )

/** Runs that cannot be read back whole, as they were stored. */
const lost = async (): Promise<readonly number[]> => {
  const both = openDb([older, newer])
  const { runs } = await both.list()
  const gone = [...RunSet.parse('1-4').minus(runs)]
  for (const run of runs)
    await both.read(run, never).then(
      ({ manifest, update }) => expect([manifest?.run, update]).toEqual([run, run === 2 ? 1 : 0]),
      () => gone.push(run),
    )
  return gone
}

describe('runs that are moved to another database by a process that is killed', () => {
  beforeEach(async () => {
    const db = openDb(newer)
    await store(db, sampleRun(1), sampleRun(2), sampleRun(3), sampleRun(4))
    await store(db, sampleRun(2, { boot: 'a: 2\n', metadata: 'b: 2\n' }))
  })

  it.each(STEPS)('are whole at "%s", number %i, and the next move finishes', async (step, count) => {
    expect(move({ KILL_AT: step, KILL_COUNT: String(count) }).signal).toBe('SIGKILL')
    expect(await lost()).toEqual([])
    // A pass that comes between finds all of them present, and one that has changed is updated where it counts.
    const between = openDb([older, newer])
    await between.list()
    expect(await between.put(sampleRun(1), never)).toBe('present')
    await between.commit()
    const next = move()
    expect([next.status, next.stderr]).toEqual([0, ''])
    expect(await lost()).toEqual([])
    const both = openDb([older, newer])
    expect((await openDb(older).list()).runs.toString()).toBe('1-3')
    const { runs, incomplete, notes } = await openDb(newer).list()
    expect([runs.toString(), incomplete.size, notes]).toEqual(['4', 0, []])
    for (const database of both.databases) expect(await checkDatabase(database, new Set())).toEqual([])
    expect(readdirSync(join(newer, 'RunHistory'))).toHaveLength(3 + 1)
    expect((await both.list()).updates).toEqual(new Map([[2, 1]]))
  })

  it('would be lost if the source forgot them first (control)', async () => {
    expect(move({ KILL_AT: 'artdaq-move: documents placed', KILL_COUNT: '1' }).signal).toBe('SIGKILL')
    const [source] = openDb(newer).databases
    for (const collection of await source!.collections()) {
      const { index } = await collection.index()
      await collection.writeIndex(index.minus(new Set(index.ouid.items)))
    }
    expect(await lost()).toEqual([1, 2, 3, 4])
  })
})
