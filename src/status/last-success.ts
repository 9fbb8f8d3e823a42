import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../errors.ts'
import { replaceFile } from '../files.ts'

/** In `app.work_dir`: when a pass last ended with exit 0 (ISO 8601, UTC). */
const FILE = 'last-success.txt'

/** A pass that found nothing to do is a success as well; those only leave a line in the ledger's own file. */
const IDLE_FILE = 'ledger-idle.txt'

/** When a pass last ended well, epoch milliseconds; undefined where none has, or none has told. */
export async function lastSuccessAt(workDir: string): Promise<number | undefined> {
  const text = await readFile(join(workDir, FILE), 'utf8').catch(() => '')
  const idle = await stat(join(workDir, IDLE_FILE)).catch(() => undefined)
  const known = [Date.parse(text.trim()), idle?.mtimeMs ?? NaN].filter((time) => !Number.isNaN(time))
  return known.length === 0 ? undefined : Math.max(...known)
}

/** Keeps the time of a success. What cannot be kept is warned of: it never fails a pass. */
export const keepSuccess = (workDir: string, at: number, warn: (message: string) => void): Promise<void> =>
  replaceFile(join(workDir, FILE), `${new Date(at).toISOString()}\n`).catch((error: unknown) =>
    warn(`The time of this success could not be kept: ${messageOf(error)}`),
  )
