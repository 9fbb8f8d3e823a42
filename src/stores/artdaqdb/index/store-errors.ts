import type { BigIntStats } from 'node:fs'
import { mayComeAgain } from '../../../common/file-times.ts'
import { calls } from '../../../platform/fs-calls.ts'
import { fileLimitError } from '../../../platform/open-files.ts'
import { diskHint } from '../../disk-hints.ts'
import { ArchiverError, errnoOf, messageOf } from '../../../errors.ts'

/** Identity, size and times of what stands at a path; empty where nothing does. */
export async function statKey(path: string): Promise<string> {
  try {
    return keyOfStatus(await calls.statPath(path))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    throw unavailable(path, error)
  }
}

export const keyOfStatus = ({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  `${ino}:${size}:${mtimeNs}:${ctimeNs}`

/** Whether any of the files of these keys may change again without another change time. `now`: epoch milliseconds. */
export const mayChangeUnseen = (keys: string, now: number): boolean =>
  [...keys.matchAll(/\d+:\d+:\d+:(\d+)/g)].some(([, changed = '0']) => mayComeAgain(BigInt(changed), now))

/** Whether two looks at files saw the same one with the same bytes. A new name changes the change time alone. */
export const sameBytes = (one: BigIntStats, other: BigIntStats): boolean =>
  one.ino === other.ino && one.size === other.size && one.mtimeNs === other.mtimeNs

export const unavailable = (path: string, error: unknown): ArchiverError => {
  const hint = diskHint(errnoOf(error), 'artdaqDB')
  return (
    fileLimitError(error) ??
    new ArchiverError('STORE_UNAVAILABLE', `artdaqDB ${path}: ${messageOf(error)}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    })
  )
}

/** A full or read-only disk, missing rights: the store cannot take anything, whatever the run. What is not the system's stays as it is. */
export const asStoreError = (path: string, error: unknown): unknown =>
  errnoOf(error) === undefined || error instanceof ArchiverError ? error : unavailable(path, error)
