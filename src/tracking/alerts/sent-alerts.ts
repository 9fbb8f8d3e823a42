import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toldOf, type Told } from './rate-limit.ts'
import { messageOf } from '../../errors.ts'
import { replaceFile } from '../../platform/atomic-file.ts'

/** In `app.work_dir`: what was told when, for all who tell. */
export const toldFile = (workDir: string): string => join(workDir, 'alerts.json')

/** Nothing where nothing was told yet, or nothing can be read: then it is told once more than needed. */
export const readTold = async (file: string): Promise<Told> => {
  try {
    return toldOf(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return {}
  }
}

/** What cannot be kept is warned of: it never keeps anybody from being told. */
export const keepTold = (file: string, told: Told, warn: (message: string) => void): Promise<void> =>
  replaceFile(file, `${JSON.stringify(told, null, 2)}\n`, { mode: 0o640 }).catch((error: unknown) =>
    warn(`Alerts may be repeated: ${messageOf(error)}`),
  )
