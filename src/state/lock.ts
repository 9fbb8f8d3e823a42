import { counted } from '../common/counted.ts'
import { makeFolder } from '../platform/make-folder.ts'
import { durationText } from '../common/duration.ts'
import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { ArchiverError } from '../errors.ts'
import { step, sweepTemporaries } from '../platform/atomic-file.ts'
import { Flock, isShared, type LockMode } from './flock.ts'
import { LockFile, removeLeftover } from './lock-file.ts'
import { describeOwner, OWNER_FILE, type Owner, readOwner, removeOwner, writeOwner } from './lock-owner.ts'
import { requireOwnFolder, safeFolder } from './safe-open.ts'
import { unwritable } from './state-file.ts'

/** In `app.work_dir`; never removed, or two processes could each lock a file of this name. */
export const FLOCK_FILE = '.archiver.flock'

export interface LockOptions {
  /** `app.lock_file`: what an operator sees, and removes to stop a running archiver in order. */
  readonly lockFile: string
  /** `app.work_dir`; made when it is missing. */
  readonly workDir: string
  /** What the process is doing, for the message to others: `incremental`, `daemon`, `recover-import-state`. */
  readonly mode: string
  readonly identity: {
    readonly pid: number
    readonly host: string
    readonly user: string
    readonly bootId: string
  }
  /** How long to wait for another to end; 0: not at all. */
  readonly waitSeconds: number
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly signal?: AbortSignal
  /** Only with `shareLock`: a lock file of this instance that no second one like it may hold. */
  readonly alone?: string
  /** Paths that `replaceFile` writes: what a kill left beside them is swept. */
  readonly files: readonly string[]
  readonly warn: (message: string) => void
}

/** The right to write, held until `release` or the end of the process. */
export interface Lock {
  /** Aborts when the lock file was removed by hand, or the lock is not ours any more; its reason is a LOCK_LOST. */
  readonly lost: AbortSignal
  /**
   * Throws LOCK_LOST when another process may hold the lock (the file under the kernel's lock was replaced). Ask it right
   * before each durable step: a process that was paused learns it here. A lock file that was merely removed does not
   * throw: the runs in hand are finished and recorded.
   */
  assertHeld(): void
  release(): Promise<void>
}

/**
 * Takes the lock of a work_dir. The kernel decides (`flock`), so that no two processes ever hold it, and a process that was killed
 * holds nothing: the next start goes on at once. Throws LOCK_HELD that names the holder, STATE_UNWRITABLE when the work_dir
 * cannot be written to (found here, before any work is done), STATE_UNSAFE, LOCK_UNAVAILABLE, INTERRUPTED.
 */
export async function acquireLock(options: LockOptions): Promise<Lock> {
  await makeFolders(options)
  const kernel = await takeKernelLocks(options)
  let shown: LockFile | undefined
  try {
    step('lock: taken')
    await sweep(options)
    step('lock: swept')
    const lost = new AbortController()
    const file = await LockFile.create(options.lockFile, options.identity.pid, () => {
      lost.abort(removed(options.lockFile))
    })
    shown = file
    const ownerFile = join(options.workDir, OWNER_FILE)
    await writeOwner(ownerFile, ownerOf(options))
    step('lock: shown')
    return {
      lost: lost.signal,
      assertHeld() {
        if (kernel.every((lock) => lock.isHeld())) return
        const error = replaced(options.workDir)
        lost.abort(error)
        throw error
      },
      async release() {
        await removeOwner(ownerFile)
        await file
          .remove()
          .catch((error: unknown) => options.warn(unwritable(options.lockFile, error).message))
        await releaseAll(kernel)
      },
    }
  } catch (error) {
    await shown?.remove().catch(() => undefined) // the next holder of the kernel's lock removes it
    await releaseAll(kernel)
    throw error instanceof ArchiverError ? error : unwritable(options.lockFile, error)
  }
}

/**
 * Takes the lock together with other workers of one queue: a single archiver and workers never write at once. Shows no lock file and no owner,
 * for there are many. Throws as `acquireLock` does.
 */
export async function shareLock(options: LockOptions): Promise<Lock> {
  await makeFolders(options)
  const kernel = [...(await takeKernelLocks(options, 'shared'))]
  if (options.alone !== undefined) {
    try {
      const own = await Flock.take(options.alone, options.waitSeconds, options.signal)
      if (!own) throw sameInstance(options)
      kernel.push(own)
    } catch (error) {
      await releaseAll(kernel)
      throw error
    }
  }
  return {
    lost: new AbortController().signal,
    assertHeld() {
      if (!kernel.every((lock) => lock.isHeld())) throw replaced(options.workDir)
    },
    release: () => releaseAll(kernel),
  }
}

/** Who holds the lock of a work_dir, as far as it has said; undefined when nobody has. For reports. */
export const readLockOwner = (workDir: string): Promise<Owner | undefined> =>
  readOwner(join(workDir, OWNER_FILE))

async function makeFolders({ workDir, lockFile }: LockOptions): Promise<void> {
  for (const folder of [workDir, dirname(lockFile)]) {
    await makeFolder(folder, 0o750).catch((error: unknown) => {
      throw unwritable(folder, error)
    })
  }
  await requireOwnFolder(workDir)
}

/**
 * One lock for the work_dir; and one named after the lock file where that is another, because two configurations may share
 * it: with both in hand, whoever made a lock file that is there is gone. Two spellings of one file (a link, a mount) are one lock, or the
 * second would find it held by the first.
 */
async function takeKernelLocks(
  options: LockOptions,
  mode: LockMode = 'exclusive',
): Promise<readonly Flock[]> {
  const { workDir, lockFile, waitSeconds, signal } = options
  const taken: Flock[] = []
  try {
    const inWorkDir = resolve(workDir, FLOCK_FILE)
    const beside = `${resolve(lockFile).replace(/\.lock$/, '')}.flock`
    const isOne = (await placeOf(inWorkDir)) === (await placeOf(beside))
    for (const path of isOne ? [inWorkDir] : [inWorkDir, beside]) {
      const lock = await Flock.take(path, waitSeconds, signal, mode)
      if (!lock) throw await held(options)
      taken.push(lock)
    }
    return taken
  } catch (error) {
    await releaseAll(taken)
    throw error
  }
}

/** The same for two paths exactly where a file of either name is one file. */
async function placeOf(path: string): Promise<string> {
  const folder = dirname(path)
  const { dev, ino } = await stat(folder, { bigint: true }).catch((error: unknown) => {
    throw unwritable(folder, error)
  })
  return `${dev}:${ino}/${basename(path)}`
}

async function sweep({ workDir, lockFile, files, warn }: LockOptions): Promise<void> {
  await removeOwner(join(workDir, OWNER_FILE)) // of a process that is gone
  const names = new Map<string, string[]>([[resolve(workDir), []]])
  for (const path of files) {
    const folder = resolve(dirname(path))
    names.set(folder, [...(names.get(folder) ?? []), basename(path)])
  }
  for (const [folder, own] of names) {
    if (!(await safeFolder(folder))) continue
    const swept = await sweepTemporaries(folder, own)
    if (swept.length > 0)
      warn(`${folder}: removed ${counted(swept.length, 'temporary file')} of a killed process`)
  }
  if (!(await removeLeftover(lockFile)))
    throw new ArchiverError(
      'LOCK_HELD',
      `${lockFile} is locked by another program, such as the Python archiver`,
      {
        hint: `see which: fuser -v ${lockFile}`,
      },
    )
}

async function held({ workDir, waitSeconds }: LockOptions): Promise<ArchiverError> {
  let owner = await readOwner(join(workDir, OWNER_FILE))
  for (let attempt = 0; !owner && attempt < 10; attempt++) {
    await setTimeout(20) // it has only just taken the lock, and is about to say who it is
    owner = await readOwner(join(workDir, OWNER_FILE))
  }
  const waited = waitSeconds > 0 ? ` (waited ${durationText(waitSeconds)})` : ''
  const together = !owner && (await isShared(join(workDir, FLOCK_FILE)))
  const [who, hint] = together
    ? [
        'workers of a backlog, or instances with --instance-id, which have no lock file',
        'let them finish, wait for them with --wait SECONDS, or stop each with SIGTERM; run-archiver queue status names the workers',
      ]
    : [
        describeOwner(owner),
        'let it finish, wait for it with --wait SECONDS, or ask it to stop with SIGTERM or by removing the lock file',
      ]
  return new ArchiverError('LOCK_HELD', `another archiver is at work in ${workDir}: ${who}${waited}`, {
    hint,
  })
}

const sameInstance = ({ workDir }: LockOptions): ArchiverError =>
  new ArchiverError('LOCK_HELD', `an instance with the same --instance-id is at work in ${workDir}`, {
    hint: 'let it finish, wait for it with --wait SECONDS, or stop it with SIGTERM',
  })

const ownerOf = ({ identity, mode, now }: LockOptions): Owner => ({
  pid: identity.pid,
  host: identity.host,
  user: identity.user,
  bootId: identity.bootId,
  started: new Date(now()).toISOString(),
  mode,
})

const removed = (lockFile: string): ArchiverError =>
  new ArchiverError('LOCK_LOST', `${lockFile} was removed or changed: stopping after the runs in hand`)

const replaced = (workDir: string): ArchiverError =>
  new ArchiverError(
    'LOCK_LOST',
    `${join(workDir, FLOCK_FILE)} was removed or replaced: writing nothing more`,
    {
      hint: 'never remove this file: the kernel frees it with the process',
    },
  )

async function releaseAll(locks: readonly Flock[]): Promise<void> {
  for (const lock of locks) await lock.release()
}
