import { ArchiverError, errnoOf } from '../errors.ts'
import type { WorkerTotals } from '../runs/cluster/worker.ts'
import type { StageReport } from '../runs/pass.ts'
import { stopCode } from './context.ts'

/** As the Python original ends when its lock file was removed. */
const LOCK_TAKEN_AWAY = 130

/** The worst of what happened. A stop by a signal says so, whatever else there was; an error that is not ours is a bug. */
export const exitCodeOf = (
  reports: readonly StageReport[],
  complaints: readonly string[],
  signal: AbortSignal,
  stop: AbortSignal,
): number => {
  if (
    reports.some(
      ({ error }) =>
        error &&
        !(error instanceof ArchiverError) &&
        errnoOf(error) === undefined &&
        error.name !== 'AbortError',
    )
  )
    return 2
  if (signal.aborted) return stopCode(signal)
  if (stop.aborted) return LOCK_TAKEN_AWAY
  const trouble = reports.some(({ outcome, error }) => error !== undefined || !outcome?.failed.isEmpty)
  return trouble || complaints.length > 0 ? 1 : 0
}

/** Of a worker on a shared backlog: as of a pass, by what it did itself. */
export const workerExitCode = (
  { failed, damaged, error }: Pick<WorkerTotals, 'failed' | 'damaged' | 'error'>,
  signal: AbortSignal,
): number => {
  if (signal.aborted) return stopCode(signal)
  return failed > 0 || damaged > 0 || error ? 1 : 0
}
