import { rebuild, type Rebuilt, rebuildNumbers, type StageRuns } from './rebuild-state.ts'
import { RunSet } from '../common/run-set.ts'
import { advance, formatState, sameState, type StageState } from './state-format.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import { step } from '../platform/atomic-file.ts'
import { FailureLog } from './failure-log.ts'
import { keepCopy } from './backup-copy.ts'
import { StateFile, unwritable } from './state-file.ts'

export interface StageMemoryOptions {
  readonly stage: 'import' | 'migrate'
  /** Paths. */
  readonly stateFile: string
  readonly failureLog: string
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly warn: (message: string) => void
  /** Called with a damaged state file, and of the path under which it is kept. */
  readonly corrupt?: (file: string, kept: string) => void
  /** Throws LOCK_LOST when another may be writing; asked before each durable step (`Lock.assertHeld`). */
  readonly assertHeld: () => void
}

/** Where the two are kept: files, or what a model of them keeps in memory. */
export interface StageFiles {
  readonly stateFile: Pick<StateFile, 'path' | 'read' | 'exists' | 'write'>
  readonly failureLog: Pick<FailureLog, 'path' | 'read' | 'add' | 'remove' | 'replace'>
}

/** A stage's state and failure log as they stand. */
export interface Remembered {
  readonly state: StageState
  readonly failed: RunSet
  /** Whether there is no state file: a first pass, or one whose state was taken away. */
  readonly isFirst: boolean
}

/** What happened since the last checkpoint. */
export interface Checkpoint {
  /** The highest run such that nothing at or below it is still in hand; on a clean end the highest attempted. 0 for none. */
  readonly attemptedUpTo: number
  readonly failed: RunSet
  /** Runs that the destination holds, durably and compared; those among them that had failed before leave the log. */
  readonly resolved: RunSet
  /** `RunSet.lastContiguous` of what the destination holds. */
  readonly lastContiguous: number
}

/**
 * What one stage remembers, written in the order of docs/ARCHITECTURE.md: failures first, then what is resolved, then the
 * state. For the holder of the lock. Where a step throws, the later ones are not begun, and the next call reads again
 * what is there.
 */
export class StageMemory {
  readonly stateFile: StageFiles['stateFile']
  readonly failureLog: StageFiles['failureLog']
  readonly #options: StageMemoryOptions
  #state: StageState | undefined
  #hasLog = false

  constructor(options: StageMemoryOptions, files?: StageFiles) {
    this.#options = options
    this.stateFile = files?.stateFile ?? new StateFile(options.stateFile)
    this.failureLog = files?.failureLog ?? new FailureLog(options.failureLog, options)
  }

  /** Reads without changing anything, for reports. Throws what `StateFile.read` throws. */
  async peek(): Promise<Remembered> {
    const [state, failures, exists] = await Promise.all([
      this.stateFile.read(),
      this.failureLog.read(),
      this.stateFile.exists(),
    ])
    return { state, failed: failures.runs, isFirst: !exists }
  }

  /**
   * Reads before a pass. A damaged state is kept as `.corrupt-<UTC time>` and rebuilt from the stores (`recover`), or ends
   * the pass with STATE_CORRUPT and stays where it is (`stop`): it is never read as new, and never away for a moment.
   * Lines of the failure log that are no runs are kept aside.
   */
  async load(onCorrupt: 'recover' | 'stop', stores: () => Promise<StageRuns>): Promise<Remembered> {
    const { runs: failed, tidy } = await this.failureLog.read()
    const isFirst = !(await this.stateFile.exists())
    if (!tidy) await this.#guarded(() => this.failureLog.replace(failed))
    try {
      this.#state = await this.stateFile.read()
    } catch (error) {
      if (!(error instanceof ArchiverError) || error.code !== 'STATE_CORRUPT') throw error
      if (onCorrupt === 'stop') throw this.#withHint(error)
      this.#state = rebuildNumbers((await stores()).stored, failed)
      const copy = await this.#keep(this.stateFile.path, 'corrupt')
      step('state-rebuild: copy kept')
      await this.#save(this.#state)
      this.#options.corrupt?.(this.stateFile.path, copy ?? '')
      this.#options.warn(
        `STATE_CORRUPT: ${messageOf(error)}. It is kept as ${copy ?? 'nothing'}, and was rebuilt from the stores: ${formatState(this.#state).replace(/\s+/g, ' ')}`,
      )
    }
    return { state: this.#state, failed, isFirst }
  }

  /** Makes durable what happened. Cheap when nothing did. */
  async checkpoint({ attemptedUpTo, failed, resolved, lastContiguous }: Checkpoint): Promise<void> {
    if (!this.#hasLog) {
      // Also where nothing has failed yet: people count its lines.
      await this.#guarded(async () => this.failureLog.replace((await this.failureLog.read()).runs))
      this.#hasLog = true
    }
    await this.#guarded(() => this.failureLog.add(failed))
    await this.#guarded(() => this.failureLog.remove(resolved.minus(failed)))
    const before = (this.#state ??= await this.stateFile.read())
    const after = advance(before, { attemptedUpTo, lastContiguous })
    if (!sameState(before, after) || !(await this.stateFile.exists())) await this.#save(after)
  }

  /**
   * Replaces state and failure log by what the stores say, and keeps what they held (`.bak-<UTC time>`, `.corrupt-<UTC time>` where
   * it was damaged). May be cut short anywhere and done again: the second time ends the same, and keeps nothing twice.
   */
  async recover(stores: StageRuns): Promise<Rebuilt & { readonly kept: readonly string[] }> {
    const rebuilt = rebuild(stores)
    const kept: string[] = []
    const keep = async (path: string, label: 'bak' | 'corrupt'): Promise<void> => {
      const copy = await this.#keep(path, label)
      if (copy !== undefined) kept.push(copy)
    }
    const damaged = await this.#damaged()
    const same = !damaged && sameState(await this.stateFile.read(), rebuilt.state)
    if (!same) await keep(this.stateFile.path, damaged ? 'corrupt' : 'bak')
    const { runs, tidy } = await this.failureLog.read()
    if (!tidy || !runs.equals(rebuilt.failed)) await keep(this.failureLog.path, 'bak')
    step('recovery: copies kept')
    await this.#guarded(() => this.failureLog.replace(rebuilt.failed))
    if (!same || !(await this.stateFile.exists())) await this.#save(rebuilt.state)
    return { ...rebuilt, kept }
  }

  async #save(state: StageState): Promise<void> {
    this.#state = undefined // unknown until the write has returned
    await this.#guarded(() => this.stateFile.write(state))
    this.#state = state
  }

  async #guarded(change: () => Promise<void>): Promise<void> {
    this.#options.assertHeld()
    await change()
  }

  async #keep(path: string, label: 'bak' | 'corrupt'): Promise<string | undefined> {
    this.#options.assertHeld()
    try {
      return await keepCopy(path, label, this.#options.now())
    } catch (error) {
      throw unwritable(path, error)
    }
  }

  async #damaged(): Promise<boolean> {
    try {
      await this.stateFile.read()
      return false
    } catch (error) {
      if (error instanceof ArchiverError && error.code === 'STATE_CORRUPT') return true
      throw error
    }
  }

  #withHint(error: ArchiverError): ArchiverError {
    const command = `--recover-${this.#options.stage}-state`
    return new ArchiverError(error.code, error.message, {
      cause: error,
      hint: `rebuild it from the stores: run-archiver CONFIG ${command} (the damaged file is kept)`,
    })
  }
}
