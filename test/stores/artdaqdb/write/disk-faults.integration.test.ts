import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { never, openDb, sampleRun, store } from '../runs.ts'
import { folder, path, put, folderForEachTest } from './database-folder.ts'

folderForEachTest()

describe('a database whose disk is taken away', () => {
  const unmount = (): void => {
    renameSync(path, `${path}-away`)
    mkdirSync(path) // the mount point
  }
  it('is no run that is not there: nothing is said of any run', async () => {
    const db = openDb(path)
    await store(db, sampleRun(1))
    unmount()
    await expect(db.read(1, never)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    rmdirSync(path)
    await expect(db.read(1, never)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
  it('commits nothing, and says so', async () => {
    const db = openDb(path)
    await store(db, sampleRun(1))
    await db.put(sampleRun(2), never)
    unmount()
    await expect(db.commit()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})

describe('a disk that takes nothing', () => {
  it('is a store that is not available, whatever the run', async () => {
    writeFileSync(path, 'a file where the database should be')
    await expect(put(sampleRun(12))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(openDb(path).list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(openDb(path).probe(never)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('leaves no document half when it is full, and the run is stored once there is room', ({ skip }) => {
    const disk = join(folder, 'disk')
    mkdirSync(disk)
    const script = [
      `mount -t tmpfs -o size=8m none ${disk} || exit`,
      `head -c 8032k /dev/zero >${disk}/filler`,
      `node --import tsx test/stores/artdaqdb/writer.ts ${disk}/db 1-40 2>&1 | grep -o "STORE_UNAVAILABLE" | head -1`,
      `find ${disk}/db -name '*.json' -size 0; find ${disk}/db -name '*.tmp'`,
      `rm ${disk}/filler`,
      `node --import tsx test/stores/artdaqdb/writer.ts ${disk}/db 1-40 | tail -1`,
    ].join('\n')
    const { status, stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', script], { encoding: 'utf8' })
    if (/^(unshare|mount):/m.test(stderr) && stdout === '') skip(`a full disk cannot be made here: ${stderr}`)
    expect([status, stdout], stderr).toEqual([0, 'STORE_UNAVAILABLE\n40\n'])
  })
})
