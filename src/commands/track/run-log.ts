import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs'
import { dirname } from 'node:path'
import { openForAppend } from '../../platform/own-file.ts'

/** The file that keeps a copy of a command's output; undefined where it cannot be made, which costs the copy only. */
export const openLog = (path: string, failed: (error: Error) => void): WriteStream | undefined => {
  let fd: number
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 })
    fd = openForAppend(path, { operatorChosen: true })
  } catch (error) {
    failed(error as Error)
    return undefined
  }
  const log = createWriteStream(path, { fd })
  log.on('error', failed)
  return log
}
