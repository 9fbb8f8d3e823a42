import { ArchiverError, errnoOf, messageOf } from '../errors.ts'

/**
 * Writes into a folder that a command was asked to fill. Throws STORE_UNAVAILABLE, which names the folder, for what the system says of a full disk or
 * a missing right; what is thrown otherwise stays as it is.
 */
export const fillFolder = async <T>(folder: string, hint: string, write: () => Promise<T>): Promise<T> => {
  try {
    return await write()
  } catch (error) {
    if (error instanceof ArchiverError || errnoOf(error) === undefined) throw error
    throw new ArchiverError('STORE_UNAVAILABLE', `${folder} cannot be written to: ${messageOf(error)}`, {
      cause: error,
      hint,
    })
  }
}
