import type { ArchiveFolder } from './archive-files/archive-folder.ts'
import { distinct } from './batch.ts'
import type { Dialect } from './dialects/dialect.ts'
import type { Listed } from './id-list.ts'
import type { Covered } from './log/finished-batches.ts'
import type { RunConnections } from './run-connections.ts'
import type { Key, Pair } from './table.ts'

/** Asks the connections of this moment, again where one breaks. */
type Ask = <Answer>(question: () => Promise<Answer>) => Promise<Answer>

/** Where copies are looked for. */
export interface CopiedTo {
  readonly dialect: Dialect
  readonly pair: Pair
  readonly connections: RunConnections
  /** Where the archive is a folder of files. */
  readonly folder: ArchiveFolder | undefined
}

/**
 * Those of the finished batches of a copy that the archive still has. The log alone is no proof for rows that are live: the archive may have lost
 * them, or be another one under the same name. Reads keys, changes nothing.
 */
export const stillCopied = async (
  where: CopiedTo,
  groups: AsyncIterable<readonly Listed[]>,
  done: readonly Covered[],
  ask: Ask,
): Promise<readonly Covered[]> => {
  const found: Covered[] = []
  for await (const { covered, keys } of keysOf(groups, done))
    if (await ask(() => isCopied(where, covered, distinct(keys)))) found.push(covered)
  return found
}

const isCopied = async (where: CopiedTo, covered: Covered, keys: readonly Key[]): Promise<boolean> => {
  if (where.folder)
    return covered.file === undefined ? covered.archived === 0 : where.folder.has(covered.file)
  return (
    (await archivedOf(where, where.pair, keys)) >= covered.archived &&
    (await hasChildren(where, where.pair, keys))
  )
}

const archivedOf = async (
  { dialect, connections: { source, archive } }: CopiedTo,
  pair: Pair,
  keys: readonly Key[],
): Promise<number> => (await dialect.present(archive ?? source, pair, 'archive', keys, false)).length

/** Whether all live rows below these are archived. */
const hasChildren = async (where: CopiedTo, pair: Pair, keys: readonly Key[]): Promise<boolean> => {
  const { dialect, connections } = where
  for (const child of pair.children ?? []) {
    const rows = await dialect.childrenOf(connections.source, pair, child, keys, false)
    const below = rows.map(({ key }) => key)
    if (below.length === 0) continue
    if ((await archivedOf(where, child.pair, below)) < below.length) return false
    if (!(await hasChildren(where, child.pair, below))) return false
  }
  return true
}

/** The ids of each finished batch. Both are in the order of the file; batches that were copied again in other sizes overlap. */
async function* keysOf(
  groups: AsyncIterable<readonly Listed[]>,
  done: readonly Covered[],
): AsyncGenerator<{ readonly covered: Covered; readonly keys: readonly Key[] }> {
  let at = 0
  let open: { readonly covered: Covered; readonly keys: Key[] }[] = []
  for await (const group of groups)
    for (const { line, key } of group) {
      for (let next = done[at]; next && next.firstLine <= line; next = done[++at])
        open.push({ covered: next, keys: [] })
      if (open.some(({ covered }) => covered.lastLine < line)) {
        yield* open.filter(({ covered }) => covered.lastLine < line)
        open = open.filter(({ covered }) => covered.lastLine >= line)
      }
      for (const { keys } of open) keys.push(key)
    }
  yield* open
}
