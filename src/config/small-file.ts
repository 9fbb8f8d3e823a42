import { readFileSync, statSync } from 'node:fs'
import type { ReadFile } from './secret-sources.ts'

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
