import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RunDocuments } from '../../../../src/stores/run-record.ts'
import { repairDatabase } from '../../../../src/stores/artdaqdb/repair.ts'
import { never, NOW, openDb, sampleRun, store } from '../runs.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
  path = join(folder, 'db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const theirs = (run: number): RunDocuments => ({ ...sampleRun(run), manifest: undefined })
const DAY = 24 * 3_600_000

/** Empties the file of a run's document, as a power cut does, at a time. */
const empty = (run: number, entity: string, time = NOW): string => {
  const directory = join(path, 'RunHistory')
  const file = readdirSync(directory)
    .map((name) => join(directory, name))
    .find((one) => {
      const text = readFileSync(one, 'utf8')
      return text.includes(`"version" : "${run}/`) && text.includes(`"entities" : [\n{\n"name" : "${entity}"`)
    })!
  truncateSync(file, 0)
  utimesSync(file, time / 1000, time / 1000)
  return file
}
const cutIndex = (): void => {
  const index = join(path, 'RunHistory', 'index.json')
  truncateSync(index, statSync(index).size >> 1)
}
const listing = async () => {
  const { runs, incomplete } = await openDb(path).list()
  return [runs.toString(), incomplete.toString()]
}

describe('an empty document that no index knows, where no index was ever damaged', () => {
  it('is a note: it is of a load that never counted, and no run is blamed for it', async () => {
    await store(openDb(path), theirs(1), theirs(2))
    const file = join(path, 'RunHistory', `${'ab'.repeat(12)}.json`)
    writeFileSync(file, '')
    const { runs, incomplete, notes } = await openDb(path).list()
    expect([runs.toString(), incomplete.toString()]).toEqual(['1-2', ''])
    expect(notes.join()).toContain(file)
  })
})

describe.each([
  ['is cut', async () => Promise.resolve().then(cutIndex)],
  [
    'was cut, and then repaired',
    async () => {
      cutIndex()
      await repairDatabase(openDb(path).databases[0]!, { now: () => NOW })
    },
  ],
])('an empty document, of whose run nothing tells, where the index %s', (_, damage) => {
  it('makes its run incomplete, and not the others, where manifests say what belongs to them', async () => {
    await store(openDb(path), sampleRun(1), sampleRun(2), sampleRun(3))
    empty(2, 'boot')
    await damage()
    expect(await listing()).toEqual(['1,3', '2'])
    expect(await openDb(path).put(sampleRun(1), never)).toBe('present')
    const db = openDb(path)
    expect(await db.put(sampleRun(2), never)).toBe('stored')
    await db.commit()
    expect(await listing()).toEqual(['1-3', ''])
    expect((await openDb(path).read(2, never)).documents).toHaveLength(4)
  })

  it('makes every run incomplete that was stored before it changed and has no manifest', async () => {
    await store(openDb(path), theirs(1), theirs(2))
    await store(
      openDb(path, () => NOW + 2 * DAY),
      theirs(3),
      sampleRun(4),
    )
    const file = empty(2, 'boot', NOW)
    await damage()
    expect(await listing()).toEqual(['3-4', '1-2'])
    await expect(openDb(path).put(sampleRun(1), never)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      run: 1,
      message: expect.stringContaining(file) as string,
    })
    rmSync(file) // looked at, and moved away
    expect((await listing())[0]).toContain('1')
  })

  it('is found where the newest of several documents of an entity is the one that is empty', async () => {
    await store(openDb(path), sampleRun(1, { boot: 'a: 1\n' }, { ended: false }), sampleRun(2))
    await store(openDb(path), sampleRun(1, { boot: 'a: 2\n' }))
    const directory = join(path, 'RunHistory')
    for (const name of readdirSync(directory))
      if (readFileSync(join(directory, name), 'utf8').includes('boot.fcl\\na: 2'))
        truncateSync(join(directory, name), 0)
    await damage()
    expect(await listing()).toEqual(['2', '1'])
  })
})
