import { ArchiverError } from '../../errors.ts'

/** As many as `records.workers` may say. */
const MOST_WORKERS = 64

/** `--workers`, else the configuration's. Throws USAGE. */
export const workersOf = (given: string | undefined, configured: number): number => {
  if (given === undefined) return configured
  if (/^[1-9]\d?$/.test(given) && Number(given) <= MOST_WORKERS) return Number(given)
  throw new ArchiverError('USAGE', `--workers: "${given}" is not a number from 1 to ${MOST_WORKERS}`)
}

/** Milliseconds: `--connection-timeout`, else the configuration's seconds. Throws USAGE. */
export const timeoutOf = (given: string | undefined, configured: number): number => {
  if (given === undefined) return configured * 1000
  if (/^[1-9]\d{0,3}$/.test(given) && Number(given) <= 3600) return Number(given) * 1000
  throw new ArchiverError(
    'USAGE',
    `--connection-timeout: "${given}" is not a number of seconds from 1 to 3600`,
  )
}
