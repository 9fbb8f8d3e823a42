import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import { ArchiverError, errnoOf, messageOf } from '../errors.ts'

/** How many files this process may have open; Infinity where the system does not say. */
export const openFileLimit = (): number => (limit ??= readLimit())
let limit: number | undefined

const readLimit = (): number => {
  try {
    const [, soft = ''] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return soft === '' ? Infinity : Number(soft)
  } catch {
    return Infinity
  }
}
// Read while there are descriptors left to read it with.
openFileLimit()

/** How many files one piece of work may hold open together: `most`, and fewer where a limit is low. */
export const openAtOnce = (most: number, allowed = openFileLimit()): number =>
  Math.max(1, Math.min(most, Math.floor(allowed / SHARES)))
const SHARES = 16

/** How long an open waits for other work to close its files, in milliseconds, before it gives up. */
const PATIENCE = 10_000
const PAUSE = 20

const isShort = (error: unknown): boolean => ['EMFILE', 'ENFILE'].includes(errnoOf(error) ?? '')

/** The same call, which waits while too many files are open instead of failing at once. */
export const whenFilesAllow =
  <Call extends unknown[], Result>(open: (...call: Call) => Promise<Result>, patience = PATIENCE) =>
  async (...call: Call): Promise<Result> => {
    for (let waited = 0; ; waited += PAUSE)
      try {
        return await open(...call)
      } catch (error) {
        if (!isShort(error) || waited >= patience) throw error
        await sleep(PAUSE)
      }
  }

/** The same call, of which so many are made at once that whole files are read with a quarter of all descriptors at most. */
export const fewAtOnce = <Call extends unknown[], Result>(
  read: (...call: Call) => Promise<Result>,
  most = Math.max(1, Math.floor(openFileLimit() / 4)),
): ((...call: Call) => Promise<Result>) => {
  const limited = pLimit(most)
  const patient = whenFilesAllow(read)
  return (...call) => limited(() => patient(...call))
}

/** What was thrown because too many files are open, at whatever depth, as an error that names the limit; undefined for anything else. */
export const fileLimitError = (error: unknown, allowed = openFileLimit()): ArchiverError | undefined => {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (isShort(cause))
      return new ArchiverError(
        'TOO_MANY_OPEN_FILES',
        `the limit of ${allowed} open files is too low: ${messageOf(error)}`,
        {
          cause: error,
          hint: 'Raise it: "ulimit -n 1024", LimitNOFILE=1024 in the unit, or the nofile limit of the container.',
        },
      )
  return undefined
}
