import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

const PROGRAM = resolve('dist/main.js')

/** As root in a mount namespace of its own, where that is allowed. */
const TRIAL = 'mount -t tmpfs none /mnt'
const canMount = spawnSync('unshare', ['-rm', 'sh', '-c', TRIAL]).status === 0
if (!canMount) console.warn('SKIPPED: small disks, because nothing can be mounted here')

let site: Site
beforeEach(() => {
  site = new Site()
})
afterEach(() => site.remove())

describe.skipIf(!canMount)('a disk that is too small for the runs of a pass', () => {
  /** A pass with small disks below artdaqDB and the archive; what its log says. */
  const onDisks = (artdaq: string, archive: string): string => {
    const [db, blobs] = [site.path('db'), site.path('archive')]
    for (const folder of [db, blobs]) mkdirSync(folder, { recursive: true })
    const mounts = `mount -t tmpfs -o size=${artdaq} none ${db} && mount -t tmpfs -o size=${archive} none ${blobs}`
    const script = `${mounts} && "${process.execPath}" ${PROGRAM} ${site.config} --incremental`
    const { stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', script], { encoding: 'utf8' })
    return stdout + stderr
  }
  const records = (bytes: number): void => {
    for (const run of [1, 2, 3]) site.record(run, { files: { 'calibration.bin': Buffer.alloc(bytes, 7) } })
  }

  it('is named before the pass begins, with what is left and what is needed', () => {
    records(1_000_000)
    const log = onDisks('3m', '2m')
    expect(log).toMatch(
      /\[Import\] the disk of \S*db has \d MB left, and the 3 runs of this pass need about 5 MB: it may be full/,
    )
    expect(log).toMatch(
      /\[Migrate\] the disk of \S*archive has \d MB left, and the \d runs? of this pass need/,
    )
  })
  it('is not named where there is room', () => {
    records(10)
    const log = onDisks('50m', '50m')
    expect(log).toContain('Import:  3 archived')
    expect(log).not.toContain('may be full')
  })
})
