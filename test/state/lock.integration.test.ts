import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import fs, { existsSync } from 'node:fs'
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { acquireLock, type Lock, readLockOwner, shareLock } from '../../src/state/lock.ts'
import { compile } from './compile.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { unprivileged } from '../unprivileged.ts'

const folder = temporaryFolder()
const held: Lock[] = []
const children: ChildProcess[] = []
afterEach(async () => {
  for (const lock of held.splice(0)) await lock.release()
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

const lockFile = (): string => folder.in('.archiver.lock')
const take = async (changes: Partial<Parameters<typeof acquireLock>[0]> = {}): Promise<Lock> => {
  const lock = await acquireLock({
    lockFile: lockFile(),
    workDir: folder.path,
    mode: 'incremental',
    identity: { pid: process.pid, host: 'mu2edaq13', user: 'archiver', bootId: 'b' },
    waitSeconds: 0,
    now: () => Date.UTC(2026, 10, 21, 22, 56),
    files: [folder.in('importer_state.json')],
    warn: () => undefined,
    ...changes,
  })
  held.push(lock)
  return lock
}
const drop = async (lock: Lock): Promise<void> => {
  held.splice(held.indexOf(lock), 1)
  await lock.release()
}

/** Starts a process that takes the lock and keeps it, and returns it once it does. */
const startHolder = async (): Promise<ChildProcess> => {
  const child = fork(await compile('test/state/contender.ts', folder.path), [folder.path])
  children.push(child)
  await once(child, 'message')
  child.send(1_000_000)
  while ((await readLockOwner(folder.path))?.pid !== child.pid) await setTimeout(10)
  return child
}

describe('a work_dir that is named by a link, and a lock file by the real path', () => {
  it.each(['work_dir', 'lock_file'])('is one folder with one lock: %s is the link', async (linked) => {
    await mkdir(folder.in('real'))
    await symlink(folder.in('real'), folder.in('link'))
    const [workDir, lockFolder] =
      linked === 'work_dir' ? [folder.in('link'), folder.in('real')] : [folder.in('real'), folder.in('link')]
    const places = { workDir, lockFile: join(lockFolder, '.archiver.lock'), files: [] }
    const lock = await take(places)
    expect(() => lock.assertHeld()).not.toThrow()
    await expect(take({ ...places, workDir: folder.in('real') })).rejects.toMatchObject({ code: 'LOCK_HELD' })
    await rm(folder.in('link')) // now it is another place that the state would be written to
    await mkdir(folder.in('link'))
    if (linked === 'work_dir') expect(() => lock.assertHeld()).toThrow()
  })
})

describe('a lock', () => {
  it('shows itself as a file with the pid, and its owner beside it, until it is released', async () => {
    const lock = await take()
    expect(await readFile(lockFile(), 'utf8')).toBe(`${process.pid}\n`)
    expect(await readLockOwner(folder.path)).toEqual({
      pid: process.pid,
      host: 'mu2edaq13',
      user: 'archiver',
      bootId: 'b',
      started: '2026-11-21T22:56:00.000Z',
      mode: 'incremental',
    })
    await drop(lock)
    expect(await readdir(folder.path)).toEqual(['.archiver.flock'])
  })

  it('makes the work_dir, where there is none', async () => {
    await take({ workDir: folder.in('new/work'), lockFile: folder.in('new/work/.archiver.lock') })
    expect((await stat(folder.in('new/work'))).mode & 0o007).toBe(0)
  })

  it('is refused to a second, which is told who holds it, and the first is not disturbed', async () => {
    const first = await take()
    const error = await take().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'LOCK_HELD', exitCode: 1 })
    expect(String(error)).toMatch(/pid \d+ on mu2edaq13 since 2026-11-21T22:56:00.000Z \(incremental\)/)
    await setTimeout(1500)
    expect(first.lost.aborted).toBe(false)
    expect(() => first.assertHeld()).not.toThrow()
    expect(await readFile(lockFile(), 'utf8')).toBe(`${process.pid}\n`)
  })

  it('is refused to one that shares only the lock file', async () => {
    await take()
    await expect(take({ workDir: folder.in('other') })).rejects.toMatchObject({ code: 'LOCK_HELD' })
  })

  it('is handed on to one that waits, and only then', async () => {
    const first = await take()
    const second = take({ waitSeconds: 30 })
    await setTimeout(200)
    await drop(first)
    expect((await second).lost.aborted).toBe(false)
  })

  it('is waited for no longer than asked, and not after a signal', async () => {
    await take()
    await expect(take({ waitSeconds: 1 })).rejects.toMatchObject({
      code: 'LOCK_HELD',
      message: expect.stringContaining('waited 1 s') as string,
    })
    const stop = new AbortController()
    const waiting = take({ waitSeconds: 60, signal: stop.signal })
    stop.abort('SIGTERM')
    await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })

  it('of a killed process is free at once, and what it left is swept', async () => {
    const child = await startHolder()
    await writeFile(folder.in('importer_state.json.3735928559'), 'half')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(existsSync(lockFile())).toBe(true)
    const before = performance.now()
    await take()
    expect(performance.now() - before).toBeLessThan(1500)
    expect(existsSync(folder.in('importer_state.json.3735928559'))).toBe(false)
  })

  it('of a paused process is not taken over, however long it is paused', async () => {
    const child = await startHolder()
    child.kill('SIGSTOP')
    const old = new Date(Date.now() - 86_400_000)
    await utimes(lockFile(), old, old) // a day without a sign of life, for whoever judges by that
    await expect(take()).rejects.toMatchObject({
      code: 'LOCK_HELD',
      message: expect.stringContaining(`pid ${child.pid ?? 0}`) as string,
    })
    child.kill('SIGCONT')
  })

  it.each([
    ['with the pid of a process that lives', () => writeFile(lockFile(), '1\n')],
    ['that is a folder, as proper-lockfile makes it', () => mkdir(lockFile())],
    ['that is a link to nowhere', () => symlink('/nonexistent', lockFile())],
  ])('is taken over a leftover lock file %s', async (_, leave) => {
    await leave()
    await take()
    expect(await readFile(lockFile(), 'utf8')).toBe(`${process.pid}\n`)
  })

  it('is not taken while the Python original keeps its own lock on the lock file', async () => {
    await writeFile(lockFile(), '4711\n')
    const { spawn } = await import('node:child_process')
    const original = spawn('flock', ['-x', lockFile(), 'sleep', '60'], { detached: true })
    await setTimeout(300)
    try {
      await expect(take()).rejects.toMatchObject({ code: 'LOCK_HELD' })
      expect(await readFile(lockFile(), 'utf8')).toBe('4711\n')
    } finally {
      process.kill(-(original.pid ?? 0), 'SIGKILL')
    }
  })

  it('asks its holder to stop when the lock file is removed by hand, and lets it finish', async () => {
    const lock = await take()
    await unlink(lockFile())
    await once(lock.lost, 'abort')
    expect(lock.lost.reason).toMatchObject({ code: 'LOCK_LOST' })
    expect(() => lock.assertHeld()).not.toThrow()
    await expect(take()).rejects.toMatchObject({ code: 'LOCK_HELD' })
  })

  it('is not called lost by a look at its file that was under way when it was released', async () => {
    const { stat: real } = fs
    const late: (() => void)[] = []
    const lost: unknown[] = []
    let isSlow = false
    // proper-lockfile looks once a second; from some time on its looks are answered when this test says so.
    fs.stat = ((path: string, ...rest: [(error: Error | null) => void]) => {
      if (isSlow) late.push(() => real(path, ...rest))
      else real(path, ...rest)
    }) as typeof real
    try {
      const lock = await take()
      isSlow = true
      lock.lost.addEventListener('abort', () => lost.push(lock.lost.reason))
      while (late.length === 0) await setTimeout(20)
      await drop(lock)
      for (const look of late.splice(0)) look()
      await setTimeout(50)
    } finally {
      fs.stat = real
    }
    expect(lost).toEqual([])
  })

  it('never removes the lock file of another when it is released', async () => {
    const lock = await take()
    await rename(lockFile(), folder.in('moved'))
    await writeFile(lockFile(), 'another\n')
    await drop(lock)
    expect(await readFile(lockFile(), 'utf8')).toBe('another\n')
  })

  it.each([
    ['removed', () => unlink(folder.in('.archiver.flock'))],
    ['replaced', () => rename(folder.in('.archiver.lock'), folder.in('.archiver.flock'))],
  ])('writes nothing more when the file under it was %s', async (_, disturb) => {
    const lock = await take()
    await disturb()
    expect(() => lock.assertHeld()).toThrow(expect.objectContaining({ code: 'LOCK_LOST' }))
    expect(lock.lost.aborted).toBe(true)
  })

  it('is refused in a work_dir into which everybody may write', async () => {
    await chmod(folder.path, 0o777)
    await expect(take()).rejects.toMatchObject({ code: 'STATE_UNSAFE' })
  })

  it.runIf(process.getuid?.() === 0)(
    'is refused in a work_dir of another user, who may put links under any name in it',
    async () => {
      await chmod(folder.path, 0o755)
      await chown(folder.path, 65_534, 65_534)
      await expect(take()).rejects.toMatchObject({
        code: 'STATE_UNSAFE',
        message: expect.stringContaining('65534') as string,
      })
      expect(await readdir(folder.path)).toEqual([])
    },
  )

  it('is refused on a link', async () => {
    await symlink('/etc/passwd', folder.in('.archiver.flock'))
    await expect(take()).rejects.toMatchObject({ code: 'STATE_UNSAFE' })
  })

  it('is refused in a work_dir that cannot be written to', async () => {
    await chmod(folder.path, 0o555)
    await unprivileged(folder.path, () => expect(take()).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' }))
    await chmod(folder.path, 0o755)
  })

  it('that could not be shown whole leaves nothing that looks like one', async () => {
    const owner = folder.in('.archiver.owner.json')
    await mkdir(owner)
    await expect(take()).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' })
    expect(existsSync(lockFile())).toBe(false)
    await rm(owner, { recursive: true })
    const lock = await take()
    await setTimeout(1500)
    expect(lock.lost.aborted).toBe(false)
  })

  it('that workers share is said to be theirs, who have no lock file to remove', async () => {
    const worker = (alone?: string): Promise<Lock> =>
      shareLock({
        lockFile: lockFile(),
        workDir: folder.path,
        mode: 'worker',
        identity: { pid: process.pid, host: 'mu2edaq13', user: 'archiver', bootId: 'b' },
        waitSeconds: 0,
        now: Date.now,
        files: [],
        warn: () => undefined,
        ...(alone === undefined ? {} : { alone }),
      })
    const alone = folder.in('.archiver.0-of-2.flock')
    held.push(await worker(alone))
    await expect(take()).rejects.toMatchObject({
      code: 'LOCK_HELD',
      message: expect.stringContaining('workers of a backlog') as string,
      hint: expect.not.stringContaining('removing') as string,
    })
    await expect(worker(alone)).rejects.toMatchObject({
      code: 'LOCK_HELD',
      message: expect.stringContaining('an instance with the same --instance-id') as string,
    })
  })

  it('that is shared is dropped whole where the part of one instance cannot be taken', async () => {
    const alone = folder.in('no-folder/.archiver.flock')
    const shared = shareLock({
      lockFile: lockFile(),
      workDir: folder.path,
      mode: 'incremental',
      identity: { pid: process.pid, host: 'mu2edaq13', user: 'archiver', bootId: 'b' },
      waitSeconds: 0,
      now: Date.now,
      files: [],
      warn: () => undefined,
      alone,
    })
    await expect(shared).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' })
    await take()
  })

  it('says what is missing where the system has no flock', async () => {
    const path = process.env['PATH']
    process.env['PATH'] = '/nonexistent'
    try {
      await expect(take()).rejects.toMatchObject({
        code: 'LOCK_UNAVAILABLE',
        hint: expect.stringContaining('util-linux') as string,
      })
    } finally {
      process.env['PATH'] = path
    }
  })
})
