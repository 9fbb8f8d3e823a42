import fs from 'node:fs'
import { open, unlink } from 'node:fs/promises'
import lockfile from 'proper-lockfile'
import { errnoOf } from '../errors.ts'
import { Flock } from './flock.ts'

/** How often the file is looked at and its time renewed, milliseconds: an operator who removes it waits no longer than that. */
const UPDATE = 1000
/** After how long another program that uses proper-lockfile may take the file for left behind. The kernel's lock has none. */
const STALE = 60_000

/**
 * The lock file that people see and may remove, kept by proper-lockfile. The library makes a folder; here it is given a
 * file system in which `mkdir` makes a file with the pid in it, so that `rm .archiver.lock` and `cat` work as the manual says,
 * and in which `rmdir` removes no lock but our own.
 */
export class LockFile {
  readonly #path: string
  readonly #fs: ReturnType<typeof fileInsteadOfFolder>
  #release: (() => Promise<void>) | undefined
  #isReleasing = false

  /** `onLost` is called once when the file was removed, replaced, or touched by somebody else; never after `remove` was called. */
  static async create(path: string, pid: number, onLost: (error: Error) => void): Promise<LockFile> {
    const file = new LockFile(path, pid)
    file.#release = await lockfile.lock(path, {
      lockfilePath: path,
      realpath: false,
      stale: STALE,
      update: UPDATE,
      fs: file.#fs,
      onCompromised: (error) => {
        file.#release = undefined
        // proper-lockfile does not cancel a look that is under way at the release: its late answer says that the file is gone.
        if (!file.#isReleasing) onLost(error)
      },
    })
    return file
  }

  private constructor(path: string, pid: number) {
    this.#path = path
    this.#fs = fileInsteadOfFolder(`${pid}\n`)
  }

  async remove(): Promise<void> {
    this.#isReleasing = true
    if (this.#release) await this.#release()
    else await new Promise<void>((resolve) => this.#fs.rmdir(this.#path, () => resolve()))
  }
}

/**
 * Removes a lock file whose owner cannot be alive, for the holder of the flock. The Python original keeps its lock on this
 * very file and never removes it: false when one is at work on it, and then nothing is removed.
 */
export async function removeLeftover(path: string): Promise<boolean> {
  const found = await fs.promises.lstat(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (!found) return true
  if (found.isDirectory()) {
    await fs.promises.rmdir(path) // proper-lockfile's own form
    return true
  }
  const original = found.isFile() ? await Flock.take(path, 0) : undefined
  if (found.isFile() && !original) return false
  await unlink(path)
  await original?.release()
  return true
}

type Done = (error: NodeJS.ErrnoException | null) => void

const fileInsteadOfFolder = (text: string) => {
  let own: { readonly ino: number; readonly dev: number } | undefined
  const isOwn = (path: string): boolean => {
    const there = fs.lstatSync(path, { throwIfNoEntry: false })
    return there !== undefined && there.ino === own?.ino && there.dev === own.dev
  }
  const rmdirSync = (path: string): void => {
    if (isOwn(path)) fs.unlinkSync(path)
  }
  return {
    ...fs,
    mkdir: (path: string, done: Done): void => {
      writeNew(path, text).then(
        (made) => {
          own = made
          done(null)
        },
        (error: unknown) => done(error as NodeJS.ErrnoException),
      )
    },
    rmdirSync,
    rmdir: (path: string, done: Done): void => {
      try {
        rmdirSync(path)
      } catch (error) {
        done(error as NodeJS.ErrnoException)
        return
      }
      done(null)
    },
  }
}

async function writeNew(path: string, text: string): Promise<{ ino: number; dev: number }> {
  const file = await open(path, 'wx', 0o644)
  try {
    await file.writeFile(text)
    const { ino, dev } = await file.stat()
    return { ino, dev }
  } catch (error) {
    await unlink(path)
    throw error
  } finally {
    await file.close()
  }
}
