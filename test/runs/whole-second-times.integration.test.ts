import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { functions } from '../damage/commands.ts'
import { openDb } from '../stores/artdaqdb/runs.ts'
import { Site } from '../site.ts'

/** A small disk whose times are whole seconds, as those of ext3 and of some NFS servers are. Undefined where none can be mounted. */
const coarseDisk = (): string | undefined => {
  const folder = mkdtempSync(join(tmpdir(), 'whole-seconds-'))
  const image = join(folder, 'image')
  const disk = join(folder, 'disk')
  try {
    writeFileSync(image, '')
    truncateSync(image, 64_000_000)
    mkdirSync(disk)
    execFileSync('mkfs.ext4', ['-q', '-I', '128', image], { stdio: 'ignore' })
    execFileSync('mount', ['-o', 'loop', image, disk], { stdio: 'ignore' })
    mounted.push(folder)
    return disk
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
}
const mounted: string[] = []
const disk = coarseDisk()
if (disk === undefined) console.warn('SKIPPED: no disk with whole-second times can be mounted here')
afterAll(() => {
  for (const folder of mounted) {
    // Lazily: what was opened here may still be open.
    execFileSync('umount', ['-l', join(folder, 'disk')])
    rmSync(folder, { recursive: true })
  }
})

const siteOn = (folder: string): Site => {
  const usual = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  try {
    return new Site()
  } finally {
    if (usual === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = usual
  }
}
/** Waits until a second has just begun. */
const nextSecond = (): Promise<void> => setTimeout(1005 - (Date.now() % 1000))

describe.skipIf(disk === undefined)('on a disk whose times are whole seconds', () => {
  it('takes a record that came in the second in which a pass looked', async () => {
    const site = siteOn(disk ?? '')
    const pass = (): Promise<number> => functions(site).pass(true)
    const timeOf = (): bigint => statSync(site.path('records'), { bigint: true }).ctimeNs
    site.record(1)
    await pass()
    let run = 1
    for (const began = Date.now(); Date.now() - began < 200_000;) {
      await nextSecond()
      site.record(++run)
      const seen = timeOf()
      await pass()
      site.record(++run)
      await pass()
      if (timeOf() !== seen) continue // the second was over: nothing was tried
      expect(site.archived().map(Number)).toContain(run)
      return
    }
    throw new Error('no pass was done within a second')
  }, 300_000)

  it('believes no listing of artdaqDB before other changes would have another time', async () => {
    const site = siteOn(disk ?? '')
    site.record(1)
    await functions(site).pass(true)
    const seen = Date.now()
    expect(await openDb(site.path('db'), () => seen).fingerprint()).toBeUndefined()
    expect(await openDb(site.path('db'), () => seen + 4000).fingerprint()).toContain('RunHistory')
  })
})
