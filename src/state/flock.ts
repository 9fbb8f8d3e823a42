import { spawn } from 'node:child_process'
import { fstatSync, lstatSync } from 'node:fs'
import { constants, type FileHandle, open, stat } from 'node:fs/promises'
import { ArchiverError, errnoOf, messageOf } from '../errors.ts'
import { readTextNow } from '../platform/read-file.ts'
import { unwritable } from './state-file.ts'

/** util-linux and BusyBox both end with 1 when somebody else holds the lock. */
const HELD = 1

/** `shared`: with others that hold it shared, and nobody that holds it exclusively. */
export type LockMode = 'exclusive' | 'shared'

/**
 * A kernel lock on a file that is never removed. The kernel drops it with the process, however that ends; a
 * paused process keeps it; it cannot be held twice. Node has no call for it, so `flock` (util-linux) takes it on a descriptor that it inherits:
 * the lock belongs to the open file, which is ours and stays open.
 */
export class Flock {
  readonly #path: string
  readonly #file: FileHandle

  private constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  /**
   * Takes the lock, waiting at most `waitSeconds` (0: not at all); undefined when another holds it to the end. Throws
   * STATE_UNWRITABLE where the file cannot be made, LOCK_UNAVAILABLE where the system cannot lock, INTERRUPTED at the signal.
   */
  static async take(
    path: string,
    waitSeconds: number,
    signal?: AbortSignal,
    mode: LockMode = 'exclusive',
  ): Promise<Flock | undefined> {
    while (true) {
      const file = await openLockFile(path)
      try {
        if (!(await lock(file, waitSeconds, signal, mode))) {
          await file.close()
          return undefined
        }
        const taken = new Flock(path, file)
        if (taken.isHeld()) return taken
        await file.close() // replaced while we waited: that file's lock is worth nothing
      } catch (error) {
        await file.close().catch(() => undefined)
        throw error
      }
    }
  }

  /** Whether the file at the path is still the one that we have locked. Two system calls; ask before each commit. */
  isHeld(): boolean {
    try {
      const ours = fstatSync(this.#file.fd)
      const there = lstatSync(this.#path)
      return ours.ino === there.ino && ours.dev === there.dev
    } catch {
      return false
    }
  }

  async release(): Promise<void> {
    await this.#file.close()
  }
}

/** Whether those who hold a lock share it. Takes a share for a moment: that keeps nobody out whom the holders do not keep out already. */
export async function isShared(path: string): Promise<boolean> {
  const lock = await Flock.take(path, 0, undefined, 'shared').catch(() => undefined)
  await lock?.release()
  return lock !== undefined
}

/**
 * How the kernel says that a lock is held, without taking it; undefined where nobody holds it, or the kernel does not show it (in a container, of a
 * process whose pid is gone). For reports, never for a decision.
 */
export async function heldAs(path: string): Promise<LockMode | undefined> {
  const { dev, ino } = await stat(path, { bigint: true })
  // As in glibc's <sys/sysmacros.h>, for the numbers that Linux gives.
  const hex = (number: bigint): string => number.toString(16).padStart(2, '0')
  const place = `${hex((dev >> 8n) & 0xfffn)}:${hex((dev & 0xffn) | ((dev >> 12n) & ~0xffn & 0xffffffffn))}:${ino}`
  const locks = readTextNow('/proc/locks')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  const lock = locks.find((words) => words[1] === 'FLOCK' && words.includes(place))
  return lock && (lock.includes('READ') ? 'shared' : 'exclusive')
}

async function openLockFile(path: string): Promise<FileHandle> {
  try {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644)
    if ((await file.stat()).isFile()) return file
    await file.close()
  } catch (error) {
    if (errnoOf(error) !== 'ELOOP' && errnoOf(error) !== 'EISDIR') throw unwritable(path, error)
  }
  throw new ArchiverError('STATE_UNSAFE', `${path}: not a regular file`, { hint: 'move it away' })
}

async function lock(
  file: FileHandle,
  waitSeconds: number,
  signal: AbortSignal | undefined,
  mode: LockMode,
): Promise<boolean> {
  const patience = waitSeconds > 0 ? ['-w', String(waitSeconds)] : ['-n']
  const { status, output } = await run([mode === 'shared' ? '-s' : '-x', ...patience, '3'], file.fd, signal)
  if (status === 0) return true
  if (status === HELD) return false
  // Ctrl-C reaches the child as well as us, and it may be the first to end.
  if (status === null || signal?.aborted)
    throw new ArchiverError('INTERRUPTED', 'stopped while waiting for the lock')
  throw unavailable(`flock ended with ${status}: ${output.trim()}`, undefined)
}

const run = (args: readonly string[], fd: number, signal: AbortSignal | undefined) =>
  new Promise<{ status: number | null; output: string }>((resolve, reject) => {
    const child = spawn('flock', args, { stdio: ['ignore', 'ignore', 'pipe', fd] })
    const stop = (): void => void child.kill()
    signal?.addEventListener('abort', stop)
    let output = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', (error) => {
      signal?.removeEventListener('abort', stop)
      reject(unavailable(messageOf(error), error))
    })
    child.on('close', (status) => {
      signal?.removeEventListener('abort', stop)
      resolve({ status, output })
    })
    if (signal?.aborted) stop()
  })

const unavailable = (what: string, cause: unknown): ArchiverError =>
  new ArchiverError('LOCK_UNAVAILABLE', `cannot lock: ${what}`, {
    cause,
    hint: 'the program `flock` (package util-linux) must be in PATH, and the disk of app.work_dir must know locks',
  })
