/**
 * One of many processes that want the same lock. At each message it tries once; when it has the lock it proves that it is alone by
 * making a folder, holds it for a while and releases. It answers `got`, `double` (another was inside) or the reason why not.
 */
import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import lockfile from 'proper-lockfile'
import { acquireLock } from '../../src/state/lock.ts'

const [workDir = '', how = 'ours'] = process.argv.slice(2)
const lockFile = join(workDir, '.archiver.lock')

const acquire = async (): Promise<{ release(): Promise<void> }> => {
  if (how === 'ours')
    return acquireLock({
      lockFile,
      workDir,
      mode: 'test',
      identity: { pid: process.pid, host: 'here', user: 'me', bootId: 'boot' },
      waitSeconds: 0,
      now: () => Date.now(),
      files: [],
      warn: () => undefined,
    })
  const release = await lockfile.lock(lockFile, {
    lockfilePath: lockFile,
    realpath: false,
    stale: 2000,
    onCompromised: () => undefined,
  })
  return { release }
}

const attempt = async (holdFor: number): Promise<string> => {
  let lock: { release(): Promise<void> }
  try {
    lock = await acquire()
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  const inside = join(workDir, 'inside')
  try {
    mkdirSync(inside)
  } catch {
    return 'double'
  }
  await setTimeout(holdFor)
  rmdirSync(inside)
  await lock.release().catch(() => undefined)
  return 'got'
}

process.on('message', (holdFor: number) => {
  void attempt(holdFor).then((result) => process.send?.(result))
})
process.send?.('ready')
