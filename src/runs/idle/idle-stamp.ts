import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { makeFolderNow } from '../../platform/make-folder.ts'
import { readTextNow } from '../../platform/read-file.ts'

type Env = Readonly<Record<string, string | undefined>>

/** How this process was called, as far as an idle pass depends on it. */
export interface Invocation {
  /** Arguments without the program's name. */
  readonly argv: readonly string[]
  readonly env: Env
  readonly version: string
  /** Standard output. */
  out(text: string): void
}

/** What an idle pass looked at, so that the next one can see with a few stats that all of it is as it was. */
export interface IdleStamp {
  readonly version: number
  readonly program: string
  /** Of the configuration's text and of the environment variables that it names. */
  readonly configuration: string
  /** Not believed after this time, epoch milliseconds. */
  readonly until: number
  /** Signatures of files and directories; one that changes means that there may be something to do. */
  readonly paths: Readonly<Record<string, string>>
}

/**
 * Where the stamp of a command line is kept: in the user's cache folder, outside the work_dir, which is not known before the configuration has
 * been read. Undefined where there is no such folder; then every pass looks closely.
 */
export const stampFile = (config: string, flags: readonly string[], env: Env): string | undefined => {
  const home =
    env['CACHE_DIRECTORY'] ?? env['XDG_CACHE_HOME'] ?? (env['HOME'] ? join(env['HOME'], '.cache') : undefined)
  if (home === undefined || !home.startsWith('/')) return undefined
  const name = sha256([resolve(config), String(process.getuid?.() ?? ''), ...flags].join('\0'))
  return join(home.split(':')[0] ?? home, 'run-record-archiver', `${name.slice(0, 32)}.json`)
}

/**
 * Whether nothing has changed since the stamp was made. Reads the stamp and the configuration's text and stats each path: no YAML, no listing, no
 * lock. Anything unexpected answers false. Never throws.
 */
export const isStampValid = (
  file: string,
  config: string,
  env: Env,
  program: string,
  now: number,
): boolean => {
  try {
    const stamp = JSON.parse(readTextNow(file)) as IdleStamp
    if (
      stamp.version !== 1 ||
      stamp.program !== program ||
      now > stamp.until ||
      now < stamp.until - 86_400_000
    )
      return false
    if (stamp.configuration !== configurationKey(config, env)) return false
    return Object.entries(stamp.paths).every(([path, signature]) => signatureOf(path) === signature)
  } catch {
    return false
  }
}

/** Writes a stamp, or does nothing where that is not possible: it only ever saves time. */
export const writeStamp = (file: string, stamp: IdleStamp): void => {
  try {
    makeFolderNow(dirname(file), 0o700)
    const aside = `${file}.${process.pid}`
    writeFileSync(aside, JSON.stringify(stamp), { mode: 0o600 })
    renameSync(aside, file)
  } catch {
    // A cache folder that is full or not ours costs the next pass a closer look.
  }
}

/** Changes when the configuration may mean something else: its text, or a variable that the text names. No value can be had back from it. */
export const configurationKey = (config: string, env: Env): string => {
  const text = readFileSync(config, 'utf8')
  const names = [
    ...new Set([...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)/g)].map((match) => match[1] ?? '')),
  ]
  const named = [...names, 'ARTDAQ_DATABASE_REMOTEHOST', 'CREDENTIALS_DIRECTORY'].sort()
  return sha256([realpathSync(config), text, ...named.map((name) => `${name}=${env[name] ?? ''}`)].join('\0'))
}

/** Device, inode, size and both times of a path; `absent` where there is nothing. */
export const signatureOf = (path: string): string => {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stats ? [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':') : 'absent'
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
