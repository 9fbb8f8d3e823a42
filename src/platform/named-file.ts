import { readFile } from 'node:fs/promises'
import { ArchiverError, messageOf } from '../errors.ts'

/** A file that a setting of the configuration names, as text. Throws CONFIG_INVALID, which names the setting and the file. */
export const readNamedFile = (setting: string, path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: unknown) => {
    throw new ArchiverError('CONFIG_INVALID', `${setting}: ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
      hint: 'Name a file that this user may read, or leave the setting out.',
    })
  })
