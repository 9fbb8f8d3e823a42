import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DirectoryArchive } from '../../src/stores/ucondb/directory/archive.ts'
import { packed } from '../conformance/archive.ts'
import { compileShim } from '../crash/shim.ts'
import { compile } from '../state/compile.ts'
import { never, openDb, sampleRun, store } from './artdaqdb/runs.ts'

const shim = compileShim('what a bad sector does to the reading of a store')

describe.skipIf(shim === undefined)('a file on a bad sector', () => {
  let folder: string
  let program: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'archiver-sector-'))
    program = await compile('test/stores/bad-sector-reader.ts', folder)
    await store(openDb(join(folder, 'db')), sampleRun(1), sampleRun(2))
    const root = join(folder, 'archive')
    const archive = new DirectoryArchive({ root, folder: 'f', object: 'o', now: Date.now })
    await archive.put(1, 0, packed(1, 'x'), never)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const readWithout = (file: string): unknown => {
    const env = { ...process.env, LD_PRELOAD: shim, FAULT: `open:5:1:${file}` }
    return JSON.parse(spawnSync(process.execPath, [program, folder], { encoding: 'utf8', env }).stdout)
  }

  it('is damage of that document or blob; all others are read', () => {
    const document = readdirSync(join(folder, 'db', 'RunHistory')).find((name) => name !== 'index.json')!
    expect(readWithout(document)).toEqual({ checked: ['unreadable'], got: 'whole' })
    expect(readWithout('1.txt')).toEqual({ checked: [], got: 'STORE_CORRUPT' })
    // Control: an index, without which nothing of its collection is known, is the store's trouble.
    expect(readWithout('RunHistory/index.json')).toEqual({ checked: 'STORE_UNAVAILABLE', got: 'whole' })
  })
})
