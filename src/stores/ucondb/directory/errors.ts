import { diskHint } from '../../disk-hints.ts'
import { ArchiverError, errnoOf } from '../../../errors.ts'

/**
 * What the file system said, as an error of ours: STORE_UNAVAILABLE, because what stops one blob from being written stops all
 * of them; STORE_REFUSED where it is about this blob's size alone. Anything that is no system error is given back as it is.
 */
export const storeError = (error: unknown, doing: string, run?: number): unknown => {
  const code = errnoOf(error)
  if (error instanceof ArchiverError || code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error
  const hint = diskHint(code, 'archive')
  return new ArchiverError(code === 'EFBIG' ? 'STORE_REFUSED' : 'STORE_UNAVAILABLE', `${doing} failed`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(run === undefined ? {} : { run }),
  })
}
