import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { init } from '../../src/commands/init/init.ts'
import { page } from '../../src/commands/page.ts'
import { contextOf } from '../context.ts'
import { Site } from '../site.ts'

/** A disk of 16 kB; undefined where none can be mounted. */
const smallDisk = (): string | undefined => {
  const folder = mkdtempSync(join(tmpdir(), 'small-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'none', folder], { stdio: 'ignore' })
    return folder
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
}
const disk = smallDisk()
if (disk === undefined) console.warn('SKIPPED: no small disk can be mounted here')
afterAll(() => {
  if (disk === undefined) return
  execFileSync('umount', [disk])
  rmSync(disk, { recursive: true })
})

describe.skipIf(disk === undefined)('a command that fills a folder, on a disk that is full', () => {
  const full = join(disk ?? '', 'folder')

  it('init: says so, and leaves nothing, so that it can be tried again', async () => {
    for (let times = 0; times < 2; times++) {
      await expect(init({ dir: full }, contextOf())).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringMatching(/small-disk-.* cannot be written to: .*ENOSPC/) as string,
      })
      expect(readdirSync(full)).toEqual([])
    }
    rmSync(full, { recursive: true })
  })

  it('page --to: says so', async () => {
    const site = new Site()
    site.record(1)
    mkdirSync(full)
    await expect(page({ config: site.config, to: full, pages: '20' }, contextOf())).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/small-disk-.* cannot be written to: .*ENOSPC/) as string,
    })
    rmSync(full, { recursive: true })
    site.remove()
  })
})
