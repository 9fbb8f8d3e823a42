import { readText } from '../../platform/read-file.ts'
import { join } from 'node:path'
import { sentOf, type Sent } from './rate-limit.ts'
import { messageOf } from '../../errors.ts'
import { replaceFile } from '../../platform/atomic-file.ts'

/** In `app.work_dir`: what was sent when, for all who send. */
export const sentFile = (workDir: string): string => join(workDir, 'alerts.json')

/** Nothing where nothing was sent yet, or nothing can be read: then it is sent once more than needed. */
export const readSent = async (file: string): Promise<Sent> => {
  try {
    return sentOf(JSON.parse(await readText(file)))
  } catch {
    return {}
  }
}

/** What cannot be kept is warned of: it never keeps anybody from being notified. */
export const keepSent = (file: string, sent: Sent, warn: (message: string) => void): Promise<void> =>
  replaceFile(file, `${JSON.stringify(sent, null, 2)}\n`, { mode: 0o640 }).catch((error: unknown) =>
    warn(`Alerts may be repeated: ${messageOf(error)}`),
  )
