import { open } from 'node:fs/promises'
import type { Context } from '../app/context.ts'
import { ArchiverError, messageOf } from '../errors.ts'

/**
 * Reads the token for `serve` from a file. Warns where others may read or write the file, and takes it all the same: whoever knows the token may act on
 * the page.
 * Throws CONFIG_INVALID where it cannot be read, or holds no token.
 */
export const pageToken = async (path: string, context: Pick<Context, 'err'>): Promise<string> => {
  const { text, mode } = await readWithMode(path).catch((cause: unknown) => {
    throw new ArchiverError('CONFIG_INVALID', `the token file ${path} cannot be read: ${messageOf(cause)}`, {
      cause,
    })
  })
  const token = text.trim()
  if (!/^[\x21-\x7e]{16,512}$/.test(token))
    throw new ArchiverError(
      'CONFIG_INVALID',
      `the token in ${path} must be 16 to 512 characters without blanks`,
      { hint: 'openssl rand -hex 32 makes one' },
    )
  if ((mode & 0o006) !== 0)
    context.err(`warning: others may read or write the token file ${path}; chmod 640\n`)
  return token
}

const readWithMode = async (path: string): Promise<{ readonly text: string; readonly mode: number }> => {
  const file = await open(path)
  try {
    const { mode } = await file.stat()
    return { text: await file.readFile('utf8'), mode }
  } finally {
    await file.close()
  }
}
