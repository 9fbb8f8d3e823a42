import { readdir } from 'node:fs/promises'
import { errnoOf } from '../../../errors.ts'
import { type Collection, unavailable } from './collection.ts'
import type { Database } from './database.ts'

const KEPT = '-index.json.damaged-'

/** Where an index that is replaced for its damage is kept: a plain file in the database, which artdaq ignores. */
export const keptAs = ({ name }: Collection, now: number): string =>
  `${name}${KEPT}${new Date(now).toISOString().replaceAll(':', '')}`

/** Whether an index of a database was ever damaged, and made anew from the documents: the old one is still there. */
export const wasRebuilt = async ({ path }: Database): Promise<boolean> => {
  try {
    return (await readdir(path)).some((name) => name.includes(KEPT))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw unavailable(path, error)
  }
}
