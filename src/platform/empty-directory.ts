import { readdir } from 'node:fs/promises'
import { ArchiverError, errnoOf, messageOf } from '../errors.ts'
import { makeFolder } from './make-folder.ts'

/** Makes a directory that a command is to fill, or takes one that is empty, so that nothing is ever overwritten. Throws USAGE. */
export const makeEmpty = async (directory: string): Promise<void> => {
  const entries = await makeFolder(directory)
    .then(() => readdir(directory))
    .catch((error: unknown) => {
      const isFile = errnoOf(error) === 'EEXIST' || errnoOf(error) === 'ENOTDIR'
      if (!isFile)
        throw new ArchiverError('USAGE', `${directory} cannot be made: ${messageOf(error)}`, { cause: error })
      throw new ArchiverError('USAGE', `${directory} is no directory, or lies below a file`, { cause: error })
    })
  if (entries.length > 0)
    throw new ArchiverError('USAGE', `${directory} is not empty; choose a new one`, {
      hint: 'Nothing that is there is overwritten.',
    })
}
