import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { damagedOlderBlobs } from '../../../src/runs/verify/compare-run.ts'
import { DirectoryArchive } from '../../../src/stores/ucondb/directory/archive.ts'
import { packed } from '../../conformance/archive.ts'

const { signal } = new AbortController()
let root: string
let archive: DirectoryArchive
const fileOf = (key: string, suffix: string): string => join(root, 'f', 'o', '0-999', `${key}.${suffix}`)
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'older-blobs-'))
  archive = new DirectoryArchive({ root, folder: 'f', object: 'o', now: () => Date.now() })
  for (const update of [0, 1, 2]) await archive.put(7, update, packed(7, `content ${update}`), signal)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const rot = (key: string): void => {
  const path = fileOf(key, 'txt')
  chmodSync(path, 0o644)
  const bytes = readFileSync(path)
  bytes[bytes.length - 2] = bytes[bytes.length - 2]! ^ 1
  writeFileSync(path, bytes)
}

describe('the blobs of a run before its updates', () => {
  it('are sound when nothing was harmed, also where one was superseded before it was migrated', async () => {
    expect(await damagedOlderBlobs(archive, 7, 2, signal)).toEqual([])
    for (const suffix of ['txt', 'sha256']) rmSync(fileOf('7', suffix))
    expect(await damagedOlderBlobs(archive, 7, 2, signal)).toEqual([])
  })

  it.each(['7', '7-update-1'])('are found damaged: %s', async (key) => {
    rot(key)
    const found = await damagedOlderBlobs(archive, 7, 2, signal)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(fileOf(key, 'txt'))
  })
})

describe('an updated run whose newest blob', () => {
  it.each([
    ['txt', 'no blob'],
    ['sha256', 'no checksum'],
  ])('has lost its .%s is damaged, and is not read as it was before the update', async (suffix, says) => {
    rmSync(fileOf('7-update-2', suffix))
    await expect(archive.get(7, 'newest', signal)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(says) as string,
    })
  })
})
