import { mkdir, readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ArchiverError, errnoOf, messageOf } from '../errors.ts'

/** Makes a directory that a command is to fill, or takes one that is empty, so that nothing is ever overwritten. Throws USAGE. */
export const makeEmpty = async (directory: string): Promise<void> => {
  const entries = await makeAll(directory)
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

/** As `mkdir -p`. Node's own way to do so never returns where a parent is there and yet says ENOENT, as /proc does. */
const makeAll = async (directory: string): Promise<void> => {
  try {
    await make(directory)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || dirname(directory) === directory) throw error
    await makeAll(dirname(directory))
    await make(directory)
  }
}

const make = async (directory: string): Promise<void> => {
  await mkdir(directory).catch((error: unknown) => {
    if (errnoOf(error) !== 'EEXIST') throw error
  })
}
