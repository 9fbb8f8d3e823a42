import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiverError } from '../errors.ts'
import type { Archiver } from './open.ts'
import { type PassRequest, planPass } from './pass.ts'

/**
 * Whether an incremental pass would find nothing at all to do or to put right: then it need not take the lock, and writes nothing. Looks at
 * what it can without changing anything; whatever is doubtful (a damaged state, a store that does not answer, an owner that was killed) is for the pass itself.
 */
export const isIdle = async (archiver: Archiver, request: PassRequest): Promise<boolean> => {
  if (await exists(join(archiver.config.app.workDir, '.archiver.owner.json'))) return false
  try {
    for (const stage of request.stages) {
      const remembered = await archiver.peek(stage)
      if (remembered.isFirst) return false
      const { runs, settled, stored } = await planPass(archiver, stage, request, remembered)
      if (!runs.isEmpty || !settled.isEmpty) return false
      if (stored.lastContiguous !== remembered.state.lastContiguousRun) return false
    }
    return !archiver.cache.isChanged
  } catch (error) {
    if (error instanceof ArchiverError) return false
    throw error
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
