import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../../../errors.ts'
import { calls } from '../../../platform/fs-calls.ts'
import type { Collection } from './collection.ts'
import { unavailable } from './store-errors.ts'
import type { Database } from './database.ts'

const KEPT = '-index.json.damaged-'

/** Where an index that is replaced for its damage is kept: a plain file in the database, which artdaq ignores. Empty where there was none. */
export const keptAs = ({ name }: Collection, now: number): string =>
  `${name}${KEPT}${new Date(now).toISOString().replaceAll(':', '')}`

/**
 * When an index of a database was last made anew from the documents, epoch milliseconds: the old one is still there. Undefined where none ever
 * was.
 */
export const rebuiltAt = async ({ path }: Database): Promise<number | undefined> => {
  try {
    const kept = (await calls.list(path)).filter((name) => name.includes(KEPT))
    const times = await Promise.all(kept.map(async (name) => (await stat(join(path, name))).mtimeMs))
    return times.length === 0 ? undefined : Math.max(...times)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw unavailable(path, error)
  }
}
