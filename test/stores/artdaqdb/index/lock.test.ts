import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withDatabaseLock } from '../../../../src/stores/artdaqdb/index/lock.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'artdaq-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const locked = (): Promise<string> => withDatabaseLock(folder, 1, () => Promise.resolve('worked'))

describe('the lock of a database', () => {
  it.each([
    ['a FIFO', (path: string) => spawnSync('mkfifo', [path])],
    ['a folder', (path: string) => mkdirSync(path)],
    ['a link', (path: string) => symlinkSync('/dev/null', path)],
  ])('is refused where %s has its name, and nobody waits', async (_, make) => {
    const path = join(folder, '.archiver.lock')
    make(path)
    await expect(locked()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: `artdaqDB cannot be locked: ${path} is no regular file`,
    })
    rmSync(path, { recursive: true })
    expect(await locked()).toBe('worked')
    expect(await locked()).toBe('worked')
  })
})
