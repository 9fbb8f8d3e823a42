import { keyOf } from '../keys.ts'
import type { UconClient } from './client.ts'

/** So often a record may have changed before it is archived, for the first time or again. */
const MOST_UPDATES = 20

/**
 * The greatest update of a run of which there is a key; 0 where there is none. Changes that were superseded before they were archived have left gaps, of
 * at most so many. A lookup names all of these keys or, where the server or its database fails behind it, none: then they are asked for one by one.
 */
export async function newestUpdate(
  client: Pick<UconClient, 'taken' | 'has'>,
  run: number,
  signal: AbortSignal,
): Promise<number> {
  const has = (update: number): Promise<boolean> => client.has(keyOf(run, update), signal)
  const lastNamed = async (first: number): Promise<number | undefined> => {
    const keys = Array.from({ length: MOST_UPDATES + 1 }, (_, at) => keyOf(run, first + at))
    const taken = await client.taken(keys, signal)
    const at = keys.findLastIndex((key) => taken.has(key))
    return at < 0 ? undefined : first + at
  }
  let newest = await lastNamed(0)
  for (let update = MOST_UPDATES; update >= 0 && newest === undefined; update--)
    if (await has(update)) newest = update
  for (let later = newest; later !== undefined;) {
    newest = later
    later = newest > 0 ? await lastNamed(newest + 1) : undefined
    if (later === undefined && (await has(newest + 1))) later = newest + 1
  }
  return newest ?? 0
}
