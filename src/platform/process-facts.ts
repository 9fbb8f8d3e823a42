import { readdirSync, readFileSync } from 'node:fs'

/** Files, sockets and pipes that a process has open; undefined where the system does not say, as of another user's process. */
export const openFilesOf = (pid: number | 'self' = 'self'): number | undefined => {
  try {
    const { length } = readdirSync(`/proc/${pid}/fd`)
    return pid === 'self' ? length - 1 : length // without the one that is open to look
  } catch {
    return undefined
  }
}

/** Threads of a process; undefined where the system does not say. */
export const threadsOf = (pid: number | 'self' = 'self'): number | undefined => {
  try {
    const [, count] = /^Threads:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return count === undefined ? undefined : Number(count)
  } catch {
    return undefined
  }
}
