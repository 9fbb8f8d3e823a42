import { randomBytes } from 'node:crypto'
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exportedFiles } from '../../../../src/stores/artdaqdb/read/export-run.ts'
import { repairDatabase } from '../../../../src/stores/artdaqdb/repair.ts'
import type { StoredRun } from '../../../../src/stores/run-record.ts'
import { never, NOW, openDb, sampleRun, store } from '../runs.ts'

const UPDATED = { boot: 'debug_level: 2\n', metadata: '# about it\nconfig_name: "x"\n' }

let folder: string
let path: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
  path = join(folder, 'db')
  await store(openDb(path), sampleRun(1), sampleRun(2))
  await store(openDb(path), sampleRun(1, UPDATED, { signature: 's2' }))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const damageUpdate = (collection: string, harm: (bytes: Buffer) => Buffer, run = 1): string => {
  const file = readdirSync(join(path, collection))
    .map((name) => join(path, collection, name))
    .find((one) => new RegExp(`"version" : "${run}/[^"]*v1"`).test(readFileSync(one, 'utf8')))!
  writeFileSync(file, harm(readFileSync(file)))
  return file
}
const flipped = (bytes: Buffer): Buffer => {
  const at = bytes.indexOf('notprovided')
  bytes[at] = bytes[at]! ^ 1
  return bytes
}
const cut = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length - 40)
const loseIndexes = (): void => {
  for (const name of ['SystemLayout', 'RunHistory']) rmSync(join(path, name, 'index.json'))
}
const read = async (run: number): Promise<string> =>
  (await openDb(path).read(run, never)).documents.map(({ text }) => text.toString()).join('')

describe.each([
  ['SystemLayout', 'has lost a bit', flipped],
  ['SystemLayout', 'is cut', cut],
  ['RunHistory', 'has lost a bit', flipped],
  ['RunHistory', 'is cut', cut],
])('a run whose update has a document in %s that %s, when the indexes are lost', (collection, _, harm) => {
  it('is not read as it was before the update; other runs are read', async () => {
    const file = damageUpdate(collection, harm)
    loseIndexes()
    const corrupt = expect.objectContaining({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(file) as string,
    }) as Error
    await expect(read(1)).rejects.toEqual(corrupt)
    await expect(exportedFiles(openDb(path).databases[0]!, 1)).rejects.toEqual(corrupt)
    expect(await read(2)).toContain('debug_level')
  })
})

it('is read as updated when its document was written again by its seal', async () => {
  damageUpdate('SystemLayout', flipped)
  loseIndexes()
  await repairDatabase(openDb(path).databases[0]!, { now: () => NOW })
  expect(await read(1)).toContain('debug_level: 2')
})

it.each(['SystemLayout', 'RunHistory'])(
  'is not read as before its update where a document of another run stands in the place of its own in %s',
  async (collection) => {
    await store(openDb(path), sampleRun(2, UPDATED, { signature: 's2' }))
    const another = readdirSync(join(path, 'RunHistory'))
      .map((name) => join(path, 'RunHistory', name))
      .find((one) => readFileSync(one, 'utf8').includes('"version" : "1/standard00001"'))!
    const file = damageUpdate(collection, (bytes) => bytes, 2)
    copyFileSync(another, file)
    await expect(read(2)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(file) as string,
    })
  },
)

describe.each([
  ['is zeros', (bytes: Buffer) => Buffer.alloc(bytes.length)],
  ['is empty', () => Buffer.alloc(0)],
  ['is random bytes', (bytes: Buffer) => randomBytes(bytes.length)],
])('a run of whose update only the schema was new, and that %s, when its index is lost', (_, harm) => {
  const NOTE = { content: Buffer.from('a note'), mode: 0o644, name: 'note.bin' }

  beforeEach(async () => {
    rmSync(path, { recursive: true, force: true })
    await store(openDb(path), sampleRun(1), sampleRun(2))
    await store(openDb(path), sampleRun(1, undefined, { signature: 's2', attached: [NOTE] }))
  })

  it('is not given away as it was before; it is again when the file is moved out', async () => {
    const file = damageUpdate('SystemLayout', harm)
    rmSync(join(path, 'SystemLayout', 'index.json'))
    const corrupt = { code: 'STORE_CORRUPT', message: expect.stringContaining(file) as string }
    await expect(given(1)).rejects.toMatchObject(corrupt)
    await expect(exportedFiles(openDb(path).databases[0]!, 1)).rejects.toMatchObject(corrupt)
    rmSync(file)
    expect(await given(1)).toMatchObject({ update: 0 })
    expect(await exportedFiles(openDb(path).databases[0]!, 1)).not.toHaveLength(0)
  })

  it('does not keep back a run that was stored long after the file was last changed', async () => {
    const file = damageUpdate('SystemLayout', harm)
    rmSync(join(path, 'SystemLayout', 'index.json'))
    const before = NOW / 1000 - 25 * 3600
    utimesSync(file, before, before)
    expect(await given(2)).toMatchObject({ run: 2 })
  })
})

const given = async (run: number): Promise<StoredRun> => {
  const db = openDb(path)
  const stored = await db.read(run, never)
  await db.requireNewest(stored)
  return stored
}
