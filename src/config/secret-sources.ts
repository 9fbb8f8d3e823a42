import { readFileSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import { errnoOf } from '../errors.ts'

/** A small file's text and permission bits. */
export interface SmallFile {
  readonly text: string
  readonly mode: number
}

/** Reads a small file; throws the system's own error. */
export type ReadFile = (path: string) => SmallFile

export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile: ReadFile
  /** The folder of the configuration file. */
  readonly directory: string
}

export interface FoundSecret {
  readonly text: string
  /** The file's path, or the variable's name. */
  readonly source: string
}

/**
 * Looks for a secret outside the configuration, best place first: the file that `<key>_file` names, the credential with the
 * setting's name that systemd passed, the environment variable `RUN_ARCHIVER_UCON_DB_WRITER_PASSWORD`. A relative name is
 * looked for among the credentials first, then beside the configuration. Throws a `SyntaxError` that names the file and
 * never what is in it.
 */
export const findSecret = (
  path: string,
  file: string | undefined,
  sources: SecretSources,
): FoundSecret | undefined => {
  if (file !== undefined) {
    const passed = file.startsWith('/') ? undefined : credential(file, sources)
    return passed ?? read(posix.resolve(sources.directory, file), sources, false)
  }
  const passed = credential(path, sources)
  if (passed) return passed
  const variable = variableOf(path)
  const text = sources.env[variable]
  return text === undefined || text === '' ? undefined : { text, source: variable }
}

/**
 * What systemd passed under a name: `LoadCredential=ucon_db.writer_password:/path`, or a whole folder of such files,
 * `LoadCredential=run-archiver:/etc/run-record-archiver/credentials`, whose names then begin with `run-archiver_`.
 */
const credential = (name: string, sources: SecretSources): FoundSecret | undefined => {
  const folder = sources.env['CREDENTIALS_DIRECTORY']
  if (folder === undefined) return undefined
  return (
    read(posix.join(folder, name), sources, true) ??
    read(posix.join(folder, `run-archiver_${name}`), sources, true)
  )
}

/** The environment variable that may hold a secret. */
export const variableOf = (path: string): string => `RUN_ARCHIVER_${path.replaceAll('.', '_').toUpperCase()}`

const read = (path: string, { readFile }: SecretSources, mayBeAbsent: boolean): FoundSecret | undefined => {
  let file: SmallFile
  try {
    file = readFile(path)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT' && mayBeAbsent) return undefined
    throw new SyntaxError(`cannot read the file ${path} (${errno ?? 'not a small text file'})`)
  }
  if ((file.mode & 0o037) !== 0)
    throw new SyntaxError(
      `the file ${path} is open to others (mode ${(file.mode & 0o7777).toString(8).padStart(4, '0')}); chmod 0640 or less`,
    )
  const text = file.text.replace(/\r?\n$/, '')
  if (text === '') throw new SyntaxError(`the file ${path} is empty`)
  return { text, source: path }
}

/** Bytes: far more than any configuration or secret has. */
const LARGEST = 4 << 20

/**
 * Reads a small file of valid UTF-8, with its permission bits. A FIFO or a device is not opened, for it might never end.
 * Throws the system's error, or a `SyntaxError` for what is no small text file.
 */
export const readSmallFile: ReadFile = (path) => {
  const stat = statSync(path)
  if (!stat.isFile() && !stat.isDirectory()) throw new SyntaxError('is no regular file')
  if (stat.size > LARGEST) throw new SyntaxError('is too large')
  const content = readFileSync(path)
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(content), mode: stat.mode }
  } catch (error) {
    throw new SyntaxError('is not UTF-8 text', { cause: error })
  }
}
