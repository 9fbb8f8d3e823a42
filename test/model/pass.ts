import { attemptedUpTo } from '../../src/runs/attempted-up-to.ts'
import { candidates, type PassMode } from '../../src/runs/candidates.ts'
import { RunSet } from '../../src/common/run-set.ts'
import { ArchiverError } from '../../src/errors.ts'
import { runStage } from '../../src/engine/engine.ts'
import type { Processed, Stage } from '../../src/engine/stage.ts'
import { RunBacklog, type RunOutcome, runOutcome } from '../../src/runs/run-backlog.ts'
import type { StageName } from '../../src/common/stage-name.ts'
import { StageMemory } from '../../src/state/stage-state.ts'
import { filesOf, Process, setOf, type World } from './world.ts'

/** What goes wrong in a pass. */
export interface Trouble {
  /** The process dies at this step; a large number: it does not. */
  readonly fuse: number
  /** Runs that cannot be read or stored. */
  readonly bad: ReadonlySet<number>
  /** The destination goes away after so many puts. */
  readonly goneAfter: number
}

/** A step or a put that is never reached. */
export const NEVER = 1e9

export const NO_TROUBLE: Trouble = { fuse: NEVER, bad: new Set(), goneAfter: NEVER }

/** One stage as the stores of the model do it: import gathers and commits, migrate puts one by one. */
const stageOf = (
  world: World,
  name: StageName,
  process: Process,
  { bad, goneAfter }: Trouble,
): Stage<number> => {
  const to = world.to(name)
  const staged = new Map<number, number>()
  let puts = 0
  const commit = async (): Promise<void> => {
    await process.step()
    world.assertHeld(process)
    for (const [run, content] of staged) {
      to.set(run, content)
      await process.step()
    }
    staged.clear()
  }
  return {
    name,
    async process(run): Promise<Processed> {
      await process.step()
      const content = world.from(name).get(run)
      if (content === undefined) throw new ArchiverError('NOT_FOUND', `run ${run} is gone`, { run })
      if (bad.has(run)) throw new ArchiverError('RECORD_INVALID', `run ${run} is bad`, { run })
      if (++puts > goneAfter) throw new ArchiverError('STORE_UNAVAILABLE', 'the destination is gone')
      const held = to.get(run)
      if (held !== undefined && held !== content)
        throw new ArchiverError('CONFLICT', `run ${run} is taken`, { run })
      if (held === undefined) staged.set(run, content)
      if (name === 'migrate') await commit()
      return {
        result: held === undefined ? 'stored' : 'present',
        bytes: 1,
        counts: { documents: 1 },
        notes: [],
      }
    },
    ...(name === 'import' ? { commitDue: () => staged.size >= 2, commit } : {}),
  }
}

const memoryOf = (world: World, stage: StageName, process: Process): StageMemory =>
  new StageMemory(
    {
      stage,
      stateFile: '',
      failureLog: '',
      now: () => 0,
      warn: () => undefined,
      assertHeld: () => world.assertHeld(process),
    },
    filesOf(world, stage, process),
  )

/** A pass of one stage as `commands/pass.ts` makes it. Undefined when the process died in it. */
export const passOf = async (
  world: World,
  stage: StageName,
  mode: PassMode,
  process: Process,
  trouble: Trouble,
): Promise<RunOutcome | undefined> => {
  const memory = memoryOf(world, stage, process)
  const outcome = Promise.resolve().then(async () => {
    const { state, failed, isFirst } = await memory.load('recover', () =>
      Promise.resolve({ source: setOf(world.from(stage)), stored: setOf(world.to(stage)) }),
    )
    const stored = setOf(world.to(stage))
    const source = setOf(world.from(stage))
    const unproven =
      stage === 'migrate' && !isFirst
        ? stored.intersect(source).minus(failed).above(state.lastAttemptedRun)
        : RunSet.EMPTY
    const destination = { runs: stored }
    const runs = candidates({ mode, source, destination, failed, changed: RunSet.EMPTY, unproven })
    await memory.checkpoint({
      failed: RunSet.EMPTY,
      resolved: RunSet.EMPTY,
      attemptedUpTo: attemptedUpTo(0, [], stored, runs.union(unproven)),
      lastContiguous: stored.lastContiguous,
    })
    const work = { runs, stored, unproven: unproven.minus(runs), lastAttempted: state.lastAttemptedRun }
    const came = await runStage(stageOf(world, stage, process, trouble), new RunBacklog(work, memory), {
      mode,
      waiting: 0,
      workers: 2,
      attempts: 1,
      retryDelay: 0,
      stop: new AbortController().signal,
      abandon: new AbortController().signal,
      listener: () => undefined,
      monotonic: () => 0,
      random: () => 0,
      checkpointEvery: 0,
    })
    return runOutcome(stage, runs, came)
  })
  const ended = await Promise.race([outcome.catch((error: unknown) => error as Error), process.died])
  if (ended === 'died') return undefined
  if (ended instanceof Error) {
    if (ended instanceof ArchiverError && ended.code === 'LOCK_LOST') return undefined
    throw ended
  }
  return ended
}

/** `--recover-...-state` as a process of its own. */
export const recoveryOf = async (world: World, stage: StageName, process: Process): Promise<void> => {
  const stores = { source: setOf(world.from(stage)), stored: setOf(world.to(stage)) }
  await Promise.race([memoryOf(world, stage, process).recover(stores), process.died])
}
