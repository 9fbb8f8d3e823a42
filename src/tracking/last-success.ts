import { join } from 'node:path'
import { messageOf } from '../errors.ts'
import { replaceFile } from '../platform/atomic-file.ts'
import { makeFolder } from '../platform/make-folder.ts'
import { readText } from '../platform/read-file.ts'

/** In `app.work_dir`: when a pass last ended with exit 0 (ISO 8601, UTC). */
const FILE = 'last-success.txt'

/** When a pass last ended well, one that found nothing to do included, epoch milliseconds; undefined where none has, or none has said so. */
export async function lastSuccessAt(workDir: string): Promise<number | undefined> {
  const time = Date.parse((await readText(join(workDir, FILE)).catch(() => '')).trim())
  return Number.isNaN(time) ? undefined : time
}

/** Keeps the time of a success. What cannot be kept is warned of: it never fails a pass. */
export const keepSuccess = (workDir: string, at: number, warn: (message: string) => void): Promise<void> =>
  keep(workDir, FILE, at).catch((error: unknown) =>
    warn(`The time of this success could not be kept: ${messageOf(error)}`),
  )

/** In `app.work_dir`: when a pass first ended while none had ever succeeded (ISO 8601, UTC). */
const WAITING_FILE = 'waiting-since.txt'

/**
 * Since when passes have been tried without any success, epoch milliseconds; the first call notes the time. A time in the future, which a
 * clock that was set back leaves, is replaced. Where it cannot be kept, this is `now`.
 */
export const waitingSince = async (
  workDir: string,
  now: number,
  warn: (message: string) => void,
): Promise<number> => {
  const since = Date.parse((await readText(join(workDir, WAITING_FILE)).catch(() => '')).trim())
  if (since <= now) return since
  await keep(workDir, WAITING_FILE, now).catch((error: unknown) =>
    warn(`Cannot keep the time of the first pass: ${messageOf(error)}`),
  )
  return now
}

/** Makes work_dir where the first command of a site that ends is not one that works in it. */
const keep = async (workDir: string, name: string, at: number): Promise<void> => {
  await makeFolder(workDir)
  await replaceFile(join(workDir, name), `${new Date(at).toISOString()}\n`)
}
