import { constants, type Stats } from 'node:fs'
import { open, realpath, type FileHandle } from 'node:fs/promises'
import { sep } from 'node:path'

/** The end of a log, or why it is not shown. */
export type LogTail =
  | {
      readonly shown: true
      readonly path: string
      readonly size: number
      readonly whole: boolean
      readonly lines: readonly string[]
    }
  | { readonly shown: false; readonly path: string | undefined; readonly why: string }

interface Logged {
  readonly host: string
  readonly logPath: string | undefined
}

interface Rules {
  readonly logRoots: readonly string[]
  readonly host: string
  readonly redact: (text: string) => string
}

/** Bytes that one look reads at most. */
const READ = 262_144
/** Characters of one line that are shown. */
const LINE = 4000

/**
 * The last lines of an execution's log. The path comes from the database, so it is opened only where, links followed, it is a regular file of
 * this host below one of the folders that are allowed, and is still that file once it is open. Secrets are masked.
 */
export const tailLog = async ({ host, logPath }: Logged, rules: Rules, lines: number): Promise<LogTail> => {
  const no = (why: string): LogTail => ({ shown: false, path: logPath, why })
  if (logPath === undefined) return no('this execution named no log file')
  if (host !== rules.host) return no(`the log is on ${host}; this page runs on ${rules.host}`)
  const opened = await openAllowed(logPath, rules.logRoots)
  if (typeof opened === 'string') return no(opened)
  const { file, stats } = opened
  try {
    const length = Math.min(READ, stats.size)
    const buffer = Buffer.alloc(length)
    const { bytesRead } = await file.read(buffer, 0, length, stats.size - length)
    const bytes = buffer.subarray(0, bytesRead)
    if (bytes.includes(0)) return no('the file holds binary data')
    const whole = bytesRead === stats.size
    const all = bytes.toString('utf8').split('\n')
    if (all.at(-1) === '') all.pop()
    if (!whole) all.shift()
    const shown = all.slice(-lines).map((line) => rules.redact(line.slice(0, LINE)))
    return { shown: true, path: logPath, size: stats.size, whole: whole && all.length <= lines, lines: shown }
  } finally {
    await file.close()
  }
}

/** Opens a file below a root, or says why not. */
export const openAllowed = async (
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
