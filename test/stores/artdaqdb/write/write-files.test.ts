import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exportedFiles, writeFiles } from '../../../../src/stores/artdaqdb/read/export-run.ts'
import { openDb, sampleRun, store } from '../runs.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
  path = join(folder, 'db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const modeOf = (file: string): number => statSync(file).mode & 0o777

describe('an index that artdaq made writable for a group', () => {
  it('stays so when a commit writes it again: its tools would lose entries without a word', async () => {
    await store(openDb(path), sampleRun(1))
    const indexes = ['RunHistory', 'SystemLayout'].map((name) => join(path, name, 'index.json'))
    for (const index of indexes) chmodSync(index, 0o664)
    await store(openDb(path), sampleRun(2))
    expect(indexes.map(modeOf)).toEqual([0o664, 0o664])
  })
})

describe('a file that is new in a database', () => {
  it('has the mode that the umask leaves, as where artdaq makes it', async () => {
    await store(openDb(path), sampleRun(1))
    writeFileSync(join(folder, 'plain'), '')
    expect(modeOf(join(path, 'RunHistory', 'index.json'))).toBe(modeOf(join(folder, 'plain')))
  })
})

describe('an export', () => {
  it('takes the place of a longer file', async () => {
    await store(openDb(path), sampleRun(1))
    const files = await exportedFiles(openDb(path).databases[0]!, 1)
    writeFileSync(join(folder, 'schema.fcl'), 'x'.repeat(100_000))
    await writeFiles(folder, files)
    for (const { path, text } of files) expect(readFileSync(join(folder, path), 'utf8')).toBe(text)
  })
  it('writes through no link and to no FIFO that stands where a file shall', async () => {
    await store(openDb(path), sampleRun(1))
    const [to, precious] = [join(folder, 'out'), join(folder, 'precious')]
    mkdirSync(to)
    writeFileSync(precious, 'as it was')
    symlinkSync(precious, join(to, 'schema.fcl'))
    const files = await exportedFiles(openDb(path).databases[0]!, 1)
    await expect(writeFiles(to, files)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      cause: { code: 'ELOOP' },
    })
    expect(readFileSync(precious, 'utf8')).toBe('as it was')
    // Nor to a FIFO, whether or not somebody reads it.
    rmSync(join(to, 'schema.fcl'))
    execFileSync('mkfifo', [join(to, 'schema.fcl')])
    await expect(writeFiles(to, files)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      cause: { code: 'ENXIO' },
    })
    const reader = openSync(join(to, 'schema.fcl'), constants.O_RDONLY | constants.O_NONBLOCK)
    await expect(writeFiles(to, files)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      cause: { message: expect.stringContaining('is no regular file') as string },
    })
    closeSync(reader)
    // A file where a folder shall be: told with its path, not as a bug.
    await expect(writeFiles(precious, files)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining(precious) as string,
    })
  })
})
