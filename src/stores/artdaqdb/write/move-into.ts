import { ArchiverError } from '../../../errors.ts'
import { RunSet } from '../../../common/run-set.ts'
import type { Database } from '../index/database.ts'
import { listDatabase } from '../index/list-runs.ts'
import { asStoreError } from '../index/store-errors.ts'
import { type MoveOptions, moveRuns } from './move-runs.ts'
import type { Left } from './moving-documents.ts'

export interface MovedRuns {
  readonly moved: RunSet
  /** Runs that stay where they are, and why. */
  readonly left: readonly Left[]
  /** Asked for, and in none of the databases. */
  readonly absent: RunSet
}

/** Moves runs into one of several databases (`moveRuns`), from whichever holds them. Throws NOT_FOUND where no database has the path. */
export async function moveInto(
  databases: readonly Database[],
  path: string,
  asked: RunSet,
  options: MoveOptions,
): Promise<MovedRuns> {
  const target = databases.find((database) => database.path === path)
  if (!target) throw new ArchiverError('NOT_FOUND', `${path} is none of the databases`)
  let moved = RunSet.EMPTY
  let found = (await listDatabase(target, NOTHING)).runs
  const left: Left[] = []
  for (const source of databases.filter((database) => database !== target)) {
    const { runs, incomplete } = await listDatabase(source, NOTHING)
    const ofIt = runs.union(incomplete).intersect(asked)
    const done = await moveRuns(source, target, [...ofIt], options).catch((error: unknown) => {
      throw asStoreError(path, error)
    })
    moved = moved.union(RunSet.of(done.runs))
    found = found.union(ofIt)
    left.push(...done.left)
  }
  return { moved, left, absent: asked.minus(found) }
}

const NOTHING: ReadonlySet<string> = new Set()
