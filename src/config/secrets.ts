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
 * Looks for a secret outside the configuration, best place first: the file that `<key>_file` names, the credential that
 * systemd passed under the setting's path (`LoadCredential=ucon_db.writer_password:...`), the environment variable
 * `RUN_ARCHIVER_UCON_DB_WRITER_PASSWORD`. A relative name is looked for among the credentials first, then beside the
 * configuration. Throws a `SyntaxError` that names the file and never what is in it.
 */
export const findSecret = (
  path: string,
  file: string | undefined,
  sources: SecretSources,
): FoundSecret | undefined => {
  const { env, directory } = sources
  const credentials = env['CREDENTIALS_DIRECTORY']
  if (file !== undefined) {
    const passed =
      credentials !== undefined && !file.startsWith('/')
        ? read(posix.join(credentials, file), sources, true)
        : undefined
    return passed ?? read(posix.resolve(directory, file), sources, false)
  }
  const credential =
    credentials === undefined ? undefined : read(posix.join(credentials, path), sources, true)
  if (credential) return credential
  const variable = variableOf(path)
  const text = env[variable]
  return text === undefined || text === '' ? undefined : { text, source: variable }
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
