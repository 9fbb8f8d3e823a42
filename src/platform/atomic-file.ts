import { randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import {
  chown,
  copyFile,
  link,
  lstat,
  open as openFile,
  readdir,
  rename,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { makeFolder } from './make-folder.ts'
import { errnoOf } from '../errors.ts'
import { whenFilesAllow } from './open-files.ts'

const open = whenFilesAllow(openFile)

const HOOK = Symbol.for('run-archiver.step')
const TEMPORARY = /^\.archiver-[0-9a-f]{16}\.tmp$/

/**
 * Names a moment between two durable steps. In production nothing happens; a test that was loaded before the program
 * (`node --import`) may have put a function at `globalThis[Symbol.for('run-archiver.step')]`, which then kills the process
 * or throws. Names are string literals, unique in `src`, so that a test can collect them and prove that it tried each.
 */
export const step = (name: string): void => {
  const hook = (globalThis as Record<symbol, unknown>)[HOOK]
  if (typeof hook === 'function') (hook as (name: string) => void)(name)
}

/**
 * Replaces a file whole and durably: at every crash a reader finds the old bytes or the new ones, and once this has
 * returned, the new ones. An error means *unknown* (the new bytes may be visible): read the file before deciding anything.
 * Mode and owner stay those of the file; a new file gets `mode`, or what the umask allows. Throws the system's errors, and
 * ELOOP, EISDIR or EINVAL where the path is no regular file.
 */
export async function replaceFile(
  path: string,
  bytes: string | Uint8Array,
  { mode }: { readonly mode?: number } = {},
): Promise<void> {
  const before = await regularFile(path)
  const size = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.byteLength
  const options = {
    ...(mode === undefined ? {} : { mode }),
    // The library fails where root may not change owners (squashed NFS), so this is done below, as far as it can be done.
    chown: false,
    // The library writes with one call and does not look how much was taken: on a full disk it would publish a cut file.
    tmpfileCreated: async (temporary: string) => {
      step('replace-file: temporary made')
      await writeFile(temporary, bytes, { flag: 'r+' })
      const written = await stat(temporary)
      if (written.size !== size) throw shortWrite(temporary, written.size, size)
      if (before) await keepOwner(temporary, written, before)
      step('replace-file: temporary written')
    },
  }
  // The types know neither null (write nothing, sync and rename only) nor `chown: false` nor that the hook is awaited.
  await writeFileAtomic(path, null as unknown as string, options as unknown as writeFileAtomic.Options)
  step('replace-file: renamed')
  await syncDirectory(dirname(path))
  step('replace-file: directory synced')
}

/**
 * Creates a file whole, and never touches one that is there: true when it was created, false when the name was taken. Its
 * bytes are durable before its name appears; the name is durable once `syncDirectory` of its folder has returned, which is
 * left to the caller so that many files share one. A crash leaves the file, or nothing but a name that `sweepTemporaries` knows.
 */
export async function createFile(
  path: string,
  bytes: string | Uint8Array,
  { mode = 0o666 }: { readonly mode?: number } = {},
): Promise<boolean> {
  const temporary = temporaryIn(dirname(path))
  try {
    await writeNew(temporary, bytes, mode)
    step('create-file: temporary synced')
    const created = await publish(temporary, path)
    step('create-file: published')
    return created
  } finally {
    await unlink(temporary).catch(() => undefined)
  }
}

/** Makes durable which names a directory holds: what was created, renamed or removed in it before the call. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/**
 * Copies a file to a new name, bytes and mode, and makes both durable. A crash leaves the whole copy, or nothing but a name that `sweepTemporaries` knows.
 * Throws the system's errors, EEXIST where the name is taken.
 */
export async function copyDurably(from: string, to: string): Promise<void> {
  const temporary = temporaryIn(dirname(to))
  try {
    await copyFile(from, temporary, constants.COPYFILE_EXCL)
    const copy = await open(temporary, 'r')
    try {
      await copy.sync()
    } finally {
      await copy.close()
    }
    if (!(await publish(temporary, to)))
      throw Object.assign(new Error(`EEXIST: file already exists, '${to}'`), { code: 'EEXIST', path: to })
  } finally {
    await unlink(temporary).catch(() => undefined)
  }
  await syncDirectory(dirname(to))
}

/** Makes a folder and those above it, each durable in its parent. One that is there costs nothing. */
export async function makeDurableFolder(path: string): Promise<void> {
  const made = await makeFolder(path)
  if (made === undefined) return
  for (let folder = path; folder.length >= made.length; folder = dirname(folder))
    await syncDirectory(dirname(folder))
}

/**
 * Removes what killed writers left in a directory: temporaries of `createFile`, and of `replaceFile` for the given file
 * names (`<name>.<up to ten digits>`); never a copy that a person numbered or dated. Only for the holder of the lock,
 * before it writes. Returns the names it removed.
 */
export async function sweepTemporaries(
  directory: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const removed: string[] = []
  for (const entry of await readdir(directory)) {
    const path = join(directory, entry)
    if (!TEMPORARY.test(entry)) {
      const [, replaced, digits] = /^(.+)\.(\d{1,10})$/.exec(entry) ?? []
      if (replaced === undefined || digits === undefined || !names.includes(replaced)) continue
      if (isCopy(digits, await lstat(path))) continue
    }
    await unlink(path)
    removed.push(entry)
  }
  return removed
}

/** `state.json.1`, `state.json.20261121`, `state.json.$(date +%s)`: kept by a person, though a temporary might be named so. */
const isCopy = (digits: string, { birthtimeMs, ctimeMs, mtimeMs }: Stats): boolean =>
  digits.length < 6 ||
  /^(19|20)\d{6}$/.test(digits) ||
  [birthtimeMs, ctimeMs, mtimeMs].some((time) => Math.abs(time / 1000 - Number(digits)) < 86_400)

/** What stands at a path, where it is a regular file or nothing. A link is never followed: its owner chose where it points. */
async function regularFile(path: string): Promise<Stats | undefined> {
  const found = await lstat(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (!found || found.isFile()) return found
  const code = found.isSymbolicLink() ? 'ELOOP' : found.isDirectory() ? 'EISDIR' : 'EINVAL'
  throw Object.assign(new Error(`${code}: not a regular file, '${path}'`), { code, path })
}

const temporaryIn = (folder: string): string =>
  join(folder, `.archiver-${randomBytes(8).toString('hex')}.tmp`)

async function writeNew(path: string, bytes: string | Uint8Array, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    await file.writeFile(bytes)
    const { size } = await file.stat()
    if (size !== Buffer.byteLength(bytes)) throw shortWrite(path, size, Buffer.byteLength(bytes))
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A hard link is the one way to give a name that fails where the name is taken; some network disks have none. */
async function publish(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path)
    return true
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error
  }
  if ((await readdir(dirname(path))).includes(basename(path))) return false
  await rename(temporary, path) // only the lock's holder writes here, so nobody can have come in between
  return true
}

async function keepOwner(path: string, is: Stats, was: Stats): Promise<void> {
  if (is.uid === was.uid && is.gid === was.gid) return
  await chown(path, was.uid, was.gid).catch((error: unknown) => {
    if (!['EPERM', 'EINVAL', 'ENOSYS'].includes(errnoOf(error) ?? '')) throw error
  })
}

const shortWrite = (path: string, size: number, wanted: number): Error =>
  Object.assign(new Error(`EIO: only ${size} of ${wanted} bytes were written, '${path}'`), {
    code: 'EIO',
    path,
  })
