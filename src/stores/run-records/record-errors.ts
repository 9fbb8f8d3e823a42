import { fileLimitError } from '../../platform/open-files.ts'
import { ArchiverError, type Code, errnoOf, messageOf } from '../../errors.ts'

// The record moved under our hands, or NFS says that what we hold is gone.
const MOVED = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ESTALE', 'EISDIR']
// This process or machine is short of something: no record's fault.
const SHORT = ['EMFILE', 'ENFILE', 'ENOMEM']

// Errors of a record. All else is of the store that the run was on its way to, and is handed on as it is.
const OF_THE_RECORD: readonly Code[] = ['RECORD_INVALID', 'RECORD_CHANGING', 'NOT_FOUND', 'FHICL_INVALID']

/** What the system said while a run's record was read, as an error of this run, or of the source as a whole. */
export const recordTrouble = (error: unknown, run: number, directory: string): unknown => {
  if (error instanceof ArchiverError) {
    if (!OF_THE_RECORD.includes(error.code)) return error
    const { code, message, hint, cause } = error
    const text = `run ${run}: ${directory}: ${message}`
    return new ArchiverError(code, text, { run, cause, ...(hint === undefined ? {} : { hint }) })
  }
  const errno = errnoOf(error)
  if (errno === undefined || !/^E[A-Z0-9]+$/.test(errno)) return error // not the system's: an abort, or a bug
  if (SHORT.includes(errno))
    return (
      fileLimitError(error) ??
      new ArchiverError('SOURCE_UNAVAILABLE', `run records cannot be read now: ${messageOf(error)}`, {
        cause: error,
      })
    )
  if (MOVED.includes(errno))
    return new ArchiverError('RECORD_CHANGING', `run ${run}: ${directory} changed while it was read`, {
      run,
      cause: error,
    })
  const isDenied = errno === 'EACCES' || errno === 'EPERM'
  return new ArchiverError('RECORD_INVALID', `run ${run}: ${directory} cannot be read`, {
    run,
    cause: error,
    hint: isDenied
      ? 'Let the user that the archiver runs as read every file and folder of the record.'
      : 'Look for trouble of the disk or the file server, then retry the run.',
  })
}
