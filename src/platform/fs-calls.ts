import {
  type BigIntStats,
  type Dirent,
  type Stats,
  closeSync,
  fchmod,
  fchmodSync,
  fchown,
  fchownSync,
  fstat,
  fstatSync,
  fsync,
  lstat,
  lstatSync,
  open,
  opendirSync,
  openSync,
  read,
  readdir,
  readdirSync,
  readSync,
  rename,
  renameSync,
  stat,
  statSync,
  unlink,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs'
import { opendir, readdir as readdirKinds } from 'node:fs/promises'
import { promisify } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import { whenFilesAllow } from './open-files.ts'

/** The system's calls for files that come by the hundred for each run. Whoever opens a descriptor closes it. Each throws the system's error. */
export interface Calls {
  lstat(path: Buffer): Promise<BigIntStats>
  /** The names in a directory, as bytes. */
  names(path: Buffer): AsyncIterable<Buffer>
  open(path: string | Buffer, flags: string | number, mode?: number): Promise<number>
  stat(file: number): Promise<BigIntStats>
  /** The same of what stands at a path, or of what a link there leads to. */
  statPath(path: string): Promise<BigIntStats>
  /** With numbers, which are quicker: for who needs no nanoseconds. */
  plainStat(file: number): Promise<Stats>
  /** The names in a directory, all at once, with a character for each byte. */
  list(path: string): Promise<readonly string[]>
  /** The entries of a small directory, with their kinds. */
  entries(path: string): Promise<readonly Dirent[]>
  /**
   * A file's bytes, from opening to closing, in one call. `size` is given what was opened and says how many bytes are wanted; what it throws is
   * thrown. Fewer are given where the file has become shorter.
   */
  contents(path: string | Buffer, flags: number, size: (opened: Stats) => number): Promise<Buffer>
  /** The same, with times to the nanosecond. */
  exactContents(path: string | Buffer, flags: number, size: (opened: BigIntStats) => number): Promise<Buffer>
  /** As `lstat` of each. */
  lstats(paths: readonly Buffer[]): Promise<readonly BigIntStats[]>
  /** Bytes read; 0 at the end of the file. */
  read(file: number, into: Buffer, offset: number, length: number, position: number): Promise<number>
  /** Bytes written, which may be less than was given. */
  write(file: number, from: Buffer, offset: number, length: number, position: number): Promise<number>
  chmod(file: number, mode: number): Promise<void>
  chown(file: number, uid: number, gid: number): Promise<void>
  sync(file: number): Promise<void>
  /** At once: nothing is left to be written of a file that was read, or synced, so that no disk is waited for. */
  close(file: number): void
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
}

// One character for each byte: any name comes through as it is.
const LATIN1 = { encoding: 'latin1' as BufferEncoding, bufferSize: 256 }

const statPath = promisify(lstat)
const statOpen = promisify(fstat)
const statLinked = promisify(stat)
const plainStat = promisify<number, Stats>(fstat)
const namesAt = whenFilesAllow(promisify<string, 'latin1', string[]>(readdir))
const readInto = promisify(read)
const writeFrom = promisify(write)
const openDirectory = whenFilesAllow(opendir)

/** The same call made at once, its error a rejection. */
const directly =
  <Call extends unknown[], Result>(call: (...call: Call) => Result) =>
  (...args: Call): Promise<Result> =>
    new Promise((resolve) => {
      resolve(call(...args))
    })

const openPooled = whenFilesAllow(promisify(open))

/** A file from opening to closing, call by call. */
const contentsBy =
  <Stat>(look: (file: number) => Promise<Stat>) =>
  async (path: string | Buffer, flags: number, size: (opened: Stat) => number): Promise<Buffer> => {
    const file = await openPooled(path, flags)
    try {
      const content = Buffer.allocUnsafeSlow(size(await look(file)))
      for (let filled = 0; filled < content.length;) {
        const { bytesRead } = await readInto(file, content, filled, content.length - filled, filled)
        if (bytesRead === 0) return content.subarray(0, filled)
        filled += bytesRead
      }
      return content
    } finally {
      closeSync(file)
    }
  }

/** The same at once: a promise for each of the four calls would take longer than they do. */
const contentsNow = <Stat>(look: (file: number) => Stat) =>
  whenFilesAllow(
    directly((path: string | Buffer, flags: number, size: (opened: Stat) => number): Buffer => {
      const file = openSync(path, flags)
      try {
        const content = Buffer.allocUnsafeSlow(size(look(file)))
        for (let filled = 0; filled < content.length;) {
          const bytes = readSync(file, content, filled, content.length - filled, filled)
          if (bytes === 0) return content.subarray(0, filled)
          filled += bytes
        }
        return content
      } finally {
        closeSync(file)
      }
    }),
  )

/** Calls that wait in the thread pool, so that the thread that makes them hears signals whatever a disk or a file server does. */
export const pooled: Calls = {
  lstat: (path) => statPath(path, { bigint: true }),
  names: async function* (path) {
    for await (const { name } of await openDirectory(path, LATIN1)) yield Buffer.from(name, 'latin1')
  },
  open: openPooled,
  stat: (file) => statOpen(file, { bigint: true }),
  statPath: (path) => statLinked(path, { bigint: true }),
  plainStat,
  list: (path) => namesAt(path, 'latin1'),
  entries: whenFilesAllow((path) => readdirKinds(path, { withFileTypes: true })),
  contents: contentsBy(plainStat),
  exactContents: contentsBy((file) => statOpen(file, { bigint: true })),
  lstats: (paths) => Promise.all(paths.map((path) => statPath(path, { bigint: true }))),
  read: async (...call) => (await readInto(...call)).bytesRead,
  write: async (...call) => (await writeFrom(...call)).bytesWritten,
  chmod: promisify(fchmod),
  chown: promisify(fchown),
  sync: promisify(fsync),
  close: closeSync,
  rename: promisify(rename),
  unlink: promisify(unlink),
}

const exactLook = (path: Buffer): BigIntStats => lstatSync(path, { bigint: true })

const openNames = whenFilesAllow(directly(opendirSync))

/**
 * Calls that the thread makes itself, for a tenth of the work: it stands still meanwhile, for ever where a file server hangs. Syncs are the
 * exception. They take the disk's time and no work, and many of them wait side by side.
 */
export const direct: Calls = {
  lstat: directly((path) => lstatSync(path, { bigint: true })),
  names: async function* (path) {
    const directory = await openNames(path, LATIN1)
    try {
      for (let entry = directory.readSync(); entry; entry = directory.readSync())
        yield Buffer.from(entry.name, 'latin1')
    } finally {
      directory.closeSync()
    }
  },
  open: whenFilesAllow(directly(openSync)),
  stat: directly((file) => fstatSync(file, { bigint: true })),
  statPath: directly((path) => statSync(path, { bigint: true })),
  plainStat: directly((file) => fstatSync(file)),
  list: whenFilesAllow(directly((path: string) => readdirSync(path, 'latin1'))),
  entries: whenFilesAllow(directly((path: string) => readdirSync(path, { withFileTypes: true }))),
  contents: contentsNow((file) => fstatSync(file)),
  exactContents: contentsNow((file) => fstatSync(file, { bigint: true })),
  lstats: directly((paths) => paths.map(exactLook)),
  read: directly<Parameters<Calls['read']>, number>(readSync),
  write: directly<Parameters<Calls['write']>, number>(writeSync),
  chmod: directly(fchmodSync),
  chown: directly(fchownSync),
  sync: (file) => pooled.sync(file),
  close: closeSync,
  rename: directly(renameSync),
  unlink: directly(unlinkSync),
}

/** What suits this thread: the main one must never stand still, a worker thread does nothing else. */
export const calls: Calls = isMainThread ? pooled : direct
