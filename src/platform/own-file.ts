import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { ArchiverError, errnoOf } from '../errors.ts'

export interface OpenRules {
  readonly mode?: number
  /** For a file that the configuration names, such as the log: a link that this user or root made is followed, and `/dev/null` is taken. */
  readonly operatorChosen?: boolean
}

/**
 * Opens a file of ours for appending (`O_APPEND`, also readable), made where it is missing. Another user may have put a link under its
 * name, in the hope that it is written through: no link is followed but, with `operatorChosen`, one that belongs to this user or to root. A FIFO is
 * not waited for. Throws STATE_UNSAFE where anything but a regular file stands there, and the system's errors. The caller closes it.
 */
export const openForAppend = (
  path: string,
  { mode = 0o640, operatorChosen = false }: OpenRules = {},
): number => {
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK
  const fd = openUnlinked(path, flags, mode, operatorChosen)
  const stats = fstatSync(fd)
  if (stats.isFile() || (operatorChosen && stats.isCharacterDevice())) return fd
  closeSync(fd)
  throw unsafe(path, 'not a regular file')
}

/** Appends a text to a file of ours with one write. Throws as `openForAppend` does. */
export const appendOwn = (path: string, text: string, rules: OpenRules = {}): void => {
  const fd = openForAppend(path, rules)
  try {
    writeFileSync(fd, text)
  } finally {
    closeSync(fd)
  }
}

/** Waits until the bytes of a file, or the names in a folder, are on the disk. Throws the system's errors. */
export const syncOwn = (path: string): void => {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Tries of `appendAtName`: nobody renames a file so often in so short a time. */
const TRIES = 3

/**
 * Appends lines with one write, and again where another process renamed the file between opening and writing: whoever reads the renamed
 * file may have read it already. So the text may stand twice, and is never lost. Throws as `openForAppend` does.
 */
export const appendAtName = (path: string, text: string, rules: OpenRules = {}): void => {
  for (let attempt = 1; ; attempt++) {
    const fd = openForAppend(path, rules)
    try {
      writeFileSync(fd, endsInALine(fd) ? text : `\n${text}`)
      const [written, named] = [fstatSync(fd), statSync(path, { throwIfNoEntry: false })]
      if (attempt >= TRIES || (named?.ino === written.ino && named.dev === written.dev)) return
    } finally {
      closeSync(fd)
    }
  }
}

/** False where the last line has no end: a full disk, or a kill, cut it short, and what comes next would be lost with it. */
const endsInALine = (fd: number): boolean => {
  const { size } = fstatSync(fd)
  const last = Buffer.alloc(1)
  return size === 0 || readSync(fd, last, 0, 1, size - 1) === 0 || last.toString() === '\n'
}

/** Replaces what a file of ours holds, in place: for what may be lost at a crash. Throws as `openForAppend` does. */
export const overwriteOwn = (path: string, text: string, { mode = 0o640 }: OpenRules = {}): void => {
  const flags = constants.O_WRONLY | constants.O_TRUNC | constants.O_CREAT | constants.O_NONBLOCK
  const fd = openUnlinked(path, flags, mode, false)
  try {
    if (!fstatSync(fd).isFile()) throw unsafe(path, 'not a regular file')
    writeFileSync(fd, text)
  } finally {
    closeSync(fd)
  }
}

const openUnlinked = (path: string, flags: number, mode: number, operatorChosen: boolean): number => {
  try {
    return openSync(path, flags | constants.O_NOFOLLOW, mode)
  } catch (error) {
    if (errnoOf(error) !== 'ELOOP') throw error
    if (!operatorChosen || !isOwn(path)) throw unsafe(path, 'a symbolic link')
    return openSync(path, flags, mode)
  }
}

const isOwn = (path: string): boolean => {
  const uid = lstatSync(path, { throwIfNoEntry: false })?.uid
  return uid === 0 || uid === process.geteuid?.()
}

const unsafe = (path: string, what: string): ArchiverError =>
  new ArchiverError('STATE_UNSAFE', `${path}: ${what}`, {
    hint: 'Somebody else may have put it there. Look at it, then move it away.',
  })
