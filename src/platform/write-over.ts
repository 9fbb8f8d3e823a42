import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { NotAFile } from './read-file.ts'

const OVER =
  constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/**
 * Writes a text into a file, over what is there, in place: a crash may leave a part of it. A link is not followed, a FIFO not waited for, and what
 * stands there is cut only when it is known to be a regular file. Throws the system's errors, and `NotAFile`.
 */
export const writeOver = async (path: string, text: string): Promise<void> => {
  const file = await open(path, OVER)
  try {
    if (!(await file.stat()).isFile()) throw new NotAFile(path)
    await file.truncate()
    await file.writeFile(text)
  } finally {
    await file.close()
  }
}
