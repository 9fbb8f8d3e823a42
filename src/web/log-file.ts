import { constants, type Stats } from 'node:fs'
import { open, realpath, type FileHandle } from 'node:fs/promises'
import { sep } from 'node:path'
import { plainLine, visibleLine } from './log-text.ts'

/** The place behind the last whole line that was read, and of which file: one that was rotated is another. */
export interface LogPlace {
  readonly file: string
  readonly at: number
}

/** The end of a log, or why it is not shown. */
export type LogTail =
  | {
      readonly shown: true
      readonly path: string
      readonly size: number
      readonly whole: boolean
      readonly lines: readonly string[]
      /** Whether the last line has no end yet: it is still being written, or the program died in it. */
      readonly isOpen: boolean
      readonly place: LogPlace
    }
  | { readonly shown: false; readonly path: string | undefined; readonly why: string }

/** Lines that were written since a place. `again`: the file begins anew, those before are of another one. */
export interface LogPiece {
  readonly lines: readonly string[]
  readonly place: LogPlace
  readonly again: boolean
}

export interface Logged {
  readonly host: string
  readonly logPath: string | undefined
}

export interface LogRules {
  readonly logRoots: readonly string[]
  readonly host: string
  readonly redact: (text: string) => string
}

/** Bytes that one look reads at most. */
const READ = 65_536
const NEWLINE = 10
const BLANK = 32

/**
 * The last lines of an execution's log. The path comes from the database, so it is opened only where, links followed, it is a regular file of
 * this host below one of the folders that are allowed, and is still that file once it is open. Secrets are masked.
 */
export const tailLog = async (logged: Logged, rules: LogRules, lines: number): Promise<LogTail> => {
  const no = (why: string): LogTail => ({ shown: false, path: logged.logPath, why })
  const opened = await openLog(logged, rules)
  if (typeof opened === 'string') return no(opened)
  const { file, stats, path } = opened
  try {
    const start = Math.max(0, stats.size - READ)
    const bytes = await bytesAt(file, start, Math.min(READ, stats.size))
    if (bytes.includes(0)) return no('the file holds binary data')
    const end = bytes.lastIndexOf(NEWLINE) + 1
    const all = bytes.toString('utf8').split('\n')
    const isOpen = all.at(-1) !== ''
    if (!isOpen) all.pop()
    // The first one began before what was read, perhaps in the middle of a word.
    const [first = ''] = all
    if (start > 0 && all.length > 1) all.shift()
    else if (start > 0) all[0] = first.slice(first.indexOf(' ') + 1)
    return {
      shown: true,
      path,
      size: stats.size,
      whole: start === 0 && all.length <= lines,
      lines: all.slice(-lines).map((line) => rules.redact(visibleLine(line))),
      isOpen: isOpen && all.length > 0,
      place: { file: identityOf(stats), at: start + end },
    }
  } finally {
    await file.close()
  }
}

/** Whole lines behind a place, at most 64 KiB of them; undefined where there are none, or the log may not be shown. */
export const readOn = async (
  logged: Logged,
  rules: LogRules,
  from: LogPlace,
): Promise<LogPiece | undefined> => {
  const opened = await openLog(logged, rules)
  if (typeof opened === 'string') return undefined
  const { file, stats } = opened
  try {
    const identity = identityOf(stats)
    const again = identity !== from.file || stats.size < from.at
    const start = again ? 0 : from.at
    const bytes = await bytesAt(file, start, Math.min(READ, stats.size - start))
    const last = bytes.lastIndexOf(NEWLINE) + 1
    // A line that is longer than one look is shown as it comes.
    const whole = last === 0 && bytes.length === READ ? endOfWord(bytes) : last
    const place = { file: identity, at: start + whole }
    if (whole === 0) return again ? { lines: [], place, again } : undefined
    const shown = bytes.subarray(0, whole)
    const lines = shown.includes(0)
      ? [`(${shown.length} bytes of binary data are not shown)`]
      : shown.toString('utf8').replace(/\n$/, '').split('\n')
    return { lines: lines.map((line) => rules.redact(visibleLine(line))), place, again }
  } finally {
    await file.close()
  }
}

/**
 * The whole log as it is now, piece by piece, under the rules of its end; or why it is not given. What is written meanwhile is left out, so
 * that it ends. The file is open from the first piece to the last.
 */
export const wholeLog = async (
  logged: Logged,
  rules: LogRules,
): Promise<string | AsyncGenerator<string, void>> => {
  const opened = await openLog(logged, rules)
  if (typeof opened === 'string') return opened
  await opened.file.close()
  return piecesOf(logged, rules)
}

const piecesOf = async function* (logged: Logged, rules: LogRules): AsyncGenerator<string, void> {
  const opened = await openLog(logged, rules)
  if (typeof opened === 'string') return
  const { file, stats } = opened
  const { size } = stats
  const { redact } = rules
  try {
    let rest = Buffer.alloc(0)
    for (let at = 0; at < size;) {
      const bytes = await bytesAt(file, at, Math.min(READ, size - at))
      if (bytes.length === 0) break // it was cut short meanwhile
      at += bytes.length
      const held = Buffer.concat([rest, bytes])
      // A line that is longer than one look goes on as it comes.
      const whole = held.lastIndexOf(NEWLINE) + 1 || (held.length > READ ? endOfWord(held) : 0)
      rest = held.subarray(whole)
      if (whole > 0) yield textOf(held.subarray(0, whole), redact)
    }
    if (rest.length > 0) yield textOf(rest, redact)
  } finally {
    await file.close()
  }
}

/** Where a line that is longer than one look is cut: not in a word, which may be a secret and would not be masked. A longer word is cut at its end here. */
const endOfWord = (bytes: Buffer): number => bytes.lastIndexOf(BLANK) + 1 || bytes.length

const textOf = (bytes: Buffer, redact: LogRules['redact']): string =>
  bytes.includes(0)
    ? `(${bytes.length} bytes of binary data are not shown)\n`
    : bytes
        .toString('utf8')
        .split('\n')
        .map((line) => redact(plainLine(line)))
        .join('\n')

const identityOf = ({ dev, ino }: Stats): string => `${dev}-${ino}`

const bytesAt = async (file: FileHandle, start: number, length: number): Promise<Buffer> => {
  const buffer = Buffer.alloc(Math.max(0, length))
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start)
  return buffer.subarray(0, bytesRead)
}

const openLog = async ({ host, logPath }: Logged, rules: LogRules) => {
  if (logPath === undefined) return 'this execution named no log file'
  if (host !== rules.host) return `the log is on ${host}; this page runs on ${rules.host}`
  const opened = await openAllowed(logPath, rules.logRoots)
  return typeof opened === 'string' ? opened : { ...opened, path: logPath }
}

/** Opens a file below a root, or says why not. */
const openAllowed = async (
  path: string,
  roots: readonly string[],
): Promise<string | { readonly file: FileHandle; readonly stats: Stats }> => {
  const outside = `${path} lies outside the log folders of this host; add its folder to serve.log_roots`
  if (roots.length === 0) return 'no folder is allowed: set serve.log_roots'
  const real = await realpath(path).catch(() => undefined)
  if (real === undefined) return 'the file is not there'
  const allowed = await Promise.all(roots.map((root) => realpath(root).catch(() => undefined)))
  if (!allowed.some((root) => root !== undefined && (real + sep).startsWith(root === sep ? sep : root + sep)))
    return outside
  // Not waiting for a writer where it is a FIFO, and not following a link that came between.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const file = await open(real, flags).catch(() => undefined)
  if (!file) return 'the file cannot be opened'
  const stats = await file.stat()
  const again = await realpath(real).catch(() => undefined)
  if (stats.isFile() && again === real) return { file, stats }
  await file.close()
  return stats.isFile() ? outside : 'it is not a regular file'
}
