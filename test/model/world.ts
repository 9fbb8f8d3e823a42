import { RunSet } from '../../src/common/run-set.ts'
import { formatState, NEW_STAGE, parseState, type StageState } from '../../src/state/state-format.ts'
import { ArchiverError } from '../../src/errors.ts'
import type { StageName } from '../../src/common/stage-name.ts'
import type { Watched } from '../../src/state/recheck-list.ts'
import type { StageFiles } from '../../src/state/stage-state.ts'

/** What is durable of a stage's state and failure log. */
export interface Disk {
  state: string | undefined
  failed: RunSet
}

/** The process was killed: from here on nothing of it happens any more. */
const DEAD = new Promise<never>(() => undefined)

/**
 * A process: it dies at its `fuse`-th step, and what it was about to do then never happens. Steps are the moments between two durable
 * effects, so that every order of effects that a crash can leave is had by some fuse.
 */
export class Process {
  readonly died: Promise<'died'>
  #die: (word: 'died') => void = () => undefined
  #fuse: number
  #dead = false

  constructor(fuse: number) {
    this.#fuse = fuse
    this.died = new Promise((resolve) => (this.#die = resolve))
  }

  async step(): Promise<void> {
    if (!this.#dead && this.#fuse-- === 0) {
      this.#dead = true
      this.#die('died')
    }
    if (this.#dead) await DEAD
    await Promise.resolve()
  }
}

/** Everything outside of processes. Contents are numbers: another number is another content. */
export class World {
  readonly source = new Map<number, number>()
  readonly artdaq = new Map<number, number>()
  readonly archive = new Map<number, number>()
  readonly disks: Record<StageName, Disk> = {
    import: { state: undefined, failed: RunSet.EMPTY },
    migrate: { state: undefined, failed: RunSet.EMPTY },
  }
  /** What a pass has in hand below the number (`InHand`), and the records that are looked at again. */
  inHand = RunSet.EMPTY
  watched: ReadonlyMap<number, Watched> | undefined
  /** Runs of which the archive keeps other bytes than it was sent, of which nobody may say that they are archived. */
  readonly garbled = new Set<number>()
  /** Every content that a run's record has ever had: what may be archived of it. */
  readonly history = new Map<number, Set<number>>()
  /** Of whom the kernel thinks that he holds the lock. */
  holder: Process | undefined

  from(stage: StageName): Map<number, number> {
    return stage === 'import' ? this.source : this.artdaq
  }

  to(stage: StageName): Map<number, number> {
    return stage === 'import' ? this.artdaq : this.archive
  }

  write(run: number, content: number): void {
    this.source.set(run, content)
    this.history.set(run, (this.history.get(run) ?? new Set()).add(content))
  }

  assertHeld(process: Process): void {
    if (this.holder !== process) throw new ArchiverError('LOCK_LOST', 'another holds the lock')
  }
}

/** A stage's files as one process sees them: each change is one durable effect with a step before and after it. */
export const filesOf = (world: World, stage: StageName, process: Process): StageFiles => {
  const disk = world.disks[stage]
  const change = async (effect: () => void): Promise<void> => {
    await process.step()
    effect()
    await process.step()
  }
  const lines = () => ({ runs: disk.failed, junk: 0, junkLines: [], tidy: true })
  return {
    stateFile: {
      path: `/nonexistent/${stage}_state.json`,
      read: (): Promise<StageState> =>
        Promise.resolve().then(() => (disk.state === undefined ? NEW_STAGE : parseState(disk.state, stage))),
      exists: () => Promise.resolve(disk.state !== undefined),
      write: (state) => change(() => (disk.state = formatState(state))),
    },
    failureLog: {
      path: `/nonexistent/${stage}_failures.log`,
      read: () => Promise.resolve(lines()),
      add: (runs) =>
        runs.minus(disk.failed).isEmpty
          ? Promise.resolve()
          : change(() => (disk.failed = disk.failed.union(runs))),
      remove: (runs) =>
        runs.intersect(disk.failed).isEmpty
          ? Promise.resolve()
          : change(() => (disk.failed = disk.failed.minus(runs))),
      replace: (runs) => change(() => (disk.failed = runs)),
    },
  }
}

export const setOf = (place: ReadonlyMap<number, unknown>): RunSet => RunSet.of(place.keys())
