import { ArchiverError } from '../../../errors.ts'
import { hasTraces } from '../format/proof.ts'
import { runOf, updatedBy } from '../names.ts'
import type { CollectionIndex } from '../format/search-index.ts'
import type { Collection } from './collection.ts'

/**
 * How often each run was stored again after its record had changed: versions `...v<n>` whose `schema` is ours. The Python original stores the
 * documents of a run's end under such a version, too; those are part of the run's first content. Runs without an update are left out. `marks`: the
 * collection of the `schema` documents.
 */
export async function updatesOf(marks: Collection): Promise<ReadonlyMap<number, number>> {
  const { index } = await marks.index()
  const known = COUNTED.get(index) ?? countUpdates(marks, index)
  COUNTED.set(index, known)
  try {
    return await known
  } catch (error) {
    COUNTED.delete(index)
    throw error
  }
}

const COUNTED = new WeakMap<CollectionIndex, Promise<ReadonlyMap<number, number>>>()

async function countUpdates(marks: Collection, index: CollectionIndex): Promise<ReadonlyMap<number, number>> {
  const updates = new Map<number, number>()
  const names = index.section('configurations.name')
  for (const [version, list] of index.section('version')) {
    const configuration = updatedBy(version)
    if (configuration === undefined || names.has(version) || !names.has(configuration)) continue
    const run = runOf(configuration)
    if (run !== undefined && (await isOurs(marks, list.items))) updates.set(run, (updates.get(run) ?? 0) + 1)
  }
  return updates
}

/** Whether one of some documents is ours; one that is gone or cannot be read may be. Kept, for documents do not change their owner. */
async function isOurs(marks: Collection, oids: readonly string[]): Promise<boolean> {
  const known = KNOWN.get(marks) ?? new Map<string, boolean>()
  KNOWN.set(marks, known)
  for (const oid of oids) {
    const before = known.get(oid)
    const ours = before ?? (await mayBeOurs(marks, oid))
    if (before === undefined) known.set(oid, ours)
    if (ours) return true
  }
  return false
}

const mayBeOurs = async (marks: Collection, oid: string): Promise<boolean> => {
  try {
    const stored = await marks.find(oid)
    return stored === undefined || hasTraces(stored)
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'STORE_CORRUPT') return true
    throw error
  }
}

const KNOWN = new WeakMap<Collection, Map<string, boolean>>()
