import type { StageName } from '../../src/common/stage-name.ts'
import { ArchiverError } from '../../src/errors.ts'
import type { PassMode } from '../../src/runs/candidates.ts'
import { runPass, type StageReport } from '../../src/runs/pass.ts'
import { archiverOf, memoryOf, type Trouble } from './archiver.ts'
import { Process, setOf, type World } from './world.ts'

const NOBODY = new AbortController().signal

/** A pass of `runs/pass.ts`. Undefined when the process died in it or lost its lock. */
export const passOf = async (
  world: World,
  stages: readonly StageName[],
  mode: PassMode,
  process: Process,
  trouble: Trouble,
): Promise<readonly StageReport[] | undefined> => {
  const pass = runPass(
    archiverOf(world, process, trouble),
    { mode, stages, recheck: false, checkpointEvery: 0 },
    {
      stop: NOBODY,
      abandon: NOBODY,
      listener: () => undefined,
      assertHeld: () => world.assertHeld(process),
      warn: () => undefined,
      corrupt: () => undefined,
    },
  )
  const ended = await Promise.race([pass.catch((error: unknown) => error as Error), process.died])
  if (ended === 'died') return undefined
  if (ended instanceof Error) {
    if (ended instanceof ArchiverError && ended.code === 'LOCK_LOST') return undefined
    throw ended
  }
  // A stage says why it could not begin; whatever is no error of ours is a bug.
  for (const { error } of ended) if (error && !(error instanceof ArchiverError)) throw error
  return ended
}

/** `--recover-...-state` as a process of its own. */
export const recoveryOf = async (world: World, stage: StageName, process: Process): Promise<void> => {
  const stores = { source: setOf(world.from(stage)), stored: setOf(world.to(stage)) }
  await Promise.race([memoryOf(world, stage, process).recover(stores), process.died])
}
