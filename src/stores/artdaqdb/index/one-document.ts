import { ArchiverError, messageOf } from '../../../errors.ts'
import { calls } from '../../../platform/fs-calls.ts'

/** Throws STORE_CORRUPT where the link at a path leads nowhere: that is not nothing, its document is gone. */
export const requireNoLink = async (path: string): Promise<void> => {
  const link = await calls.lstat(Buffer.from(path)).catch(() => undefined)
  // A document that has come meanwhile was not there when it was asked for.
  if (link?.isSymbolicLink()) throw corrupt(path, new Error('it is a link that leads nowhere'))
}

/** What stands in a document's place and cannot be read is that document's damage, and not the store's. */
export const corrupt = (path: string, error: unknown): ArchiverError =>
  new ArchiverError('STORE_CORRUPT', `${path} cannot be read: ${messageOf(error)}`, { cause: error })
