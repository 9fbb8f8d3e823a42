import { ArchiverError, errnoOf } from '../../../errors.ts'

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'The archive disk is full: make room, then start again; no run was lost.',
  EDQUOT: 'The quota on the archive disk is used up: raise it, then start again; no run was lost.',
  EROFS: 'The archive disk is mounted read-only.',
  EACCES: 'Give the user of the archiver the right to read and write the archive folder.',
  EPERM: 'Give the user of the archiver the right to read and write the archive folder.',
  ENOENT: 'Is the disk of the archive mounted?',
  ESTALE: 'The network disk went away: mount it again.',
  EIO: 'The disk reports an error: look at the system log.',
}

/**
 * What the file system said, as an error of ours: STORE_UNAVAILABLE, because what stops one blob from being written stops all
 * of them; STORE_REFUSED where it is about this blob's size alone. Anything that is no system error is given back as it is.
 */
export const storeError = (error: unknown, doing: string, run?: number): unknown => {
  const code = errnoOf(error)
  if (error instanceof ArchiverError || code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error
  const hint = HINTS[code]
  return new ArchiverError(code === 'EFBIG' ? 'STORE_REFUSED' : 'STORE_UNAVAILABLE', `${doing} failed`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(run === undefined ? {} : { run }),
  })
}
