import { open } from 'node:fs/promises'
import type { Context } from '../app/context.ts'
import { Secret } from '../common/secret.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import { readTextNow } from '../platform/read-file.ts'

/**
 * The token for `serve`, read from its file at each use: a token that was replaced or removed no longer counts. Whoever knows it may act on the
 * page, so a file that others may read or write is warned of. Throws CONFIG_INVALID where it cannot be read, or holds no token.
 */
export const pageToken = async (path: string, context: Pick<Context, 'err'>): Promise<Secret> => {
  const { text, mode, isFile } = await readToken(path).catch((cause: unknown) => {
    throw new ArchiverError('CONFIG_INVALID', `the token file ${path} cannot be read: ${messageOf(cause)}`, {
      cause,
    })
  })
  const token = tokenIn(text, path)
  if ((mode & 0o006) !== 0)
    context.err(`warning: others may read or write the token file ${path}; chmod 640\n`)
  // A pipe gives it once: what was read from it stays.
  return isFile ? new Secret(token, () => tokenIn(readTextNow(path), path)) : new Secret(token)
}

const tokenIn = (text: string, path: string): string => {
  const token = text.trim()
  if (/^[\x21-\x7e]{16,512}$/.test(token)) return token
  throw new ArchiverError(
    'CONFIG_INVALID',
    `the token in ${path} must be 16 to 512 characters without blanks`,
    {
      hint: 'openssl rand -hex 32 makes one',
    },
  )
}

const readToken = async (
  path: string,
): Promise<{ readonly text: string; readonly mode: number; readonly isFile: boolean }> => {
  const file = await open(path)
  try {
    const status = await file.stat()
    return { text: await file.readFile('utf8'), mode: status.mode, isFile: status.isFile() }
  } finally {
    await file.close()
  }
}
