import type { Listed } from './id-list.ts'
import type { Covered } from './log/finished-batches.ts'
import type { Key } from './table.ts'

/** A part of a file: ids that are to be done together, or lines that are done already. */
export type Segment =
  | {
      readonly type: 'batch'
      readonly number: number
      readonly firstLine: number
      readonly lastLine: number
      readonly keys: readonly Key[]
    }
  | { readonly type: 'done'; readonly number: number; readonly covered: Covered }

/**
 * Cuts the ids of a file into batches of `size()`, around the lines that are done. Lines that several finished batches cover count as done.
 * Numbers go up from 1 in the order of the file, done or not, so that an unchanged file and size give the numbers of the last time.
 */
export async function* segmentsOf(
  groups: AsyncIterable<readonly Listed[]>,
  done: readonly Covered[],
  size: () => number,
): AsyncGenerator<Segment> {
  let number = 0
  let next = 0
  let until = 0
  let pending: Listed[] = []
  let room = size()
  const flush = (): Segment | undefined => {
    const [first] = pending
    const last = pending.at(-1)
    if (!first || !last) return undefined
    const keys = pending.map(({ key }) => key)
    pending = []
    room = size()
    return { type: 'batch', number: ++number, firstLine: first.line, lastLine: last.line, keys }
  }
  for await (const group of groups)
    for (const listed of group) {
      for (let covered = done[next]; covered && covered.firstLine <= listed.line; covered = done[++next]) {
        if (covered.lastLine <= until) continue
        const batch = flush()
        if (batch) yield batch
        until = covered.lastLine
        yield { type: 'done', number: ++number, covered }
      }
      if (listed.line <= until) continue
      pending.push(listed)
      if (pending.length < room) continue
      const batch = flush()
      if (batch) yield batch
    }
  const last = flush()
  if (last) yield last
}

/** How many batches there will be, in all. */
export const totalBatches = (ids: number, done: readonly Covered[], size: number): number => {
  const left = Math.max(0, ids - done.reduce((sum, covered) => sum + covered.ids, 0))
  return done.length + Math.ceil(left / size)
}
