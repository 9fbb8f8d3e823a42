import { rm } from 'node:fs/promises'
import { RunSet } from '../common/run-set.ts'
import { replaceFile, step } from '../platform/atomic-file.ts'
import { textIfThere } from './safe-open.ts'
import { unwritable } from './state-file.ts'

/**
 * The runs at or below `last_attempted_run` that nobody may have compared at the archive: those that a migration has in hand (late ones,
 * retries, updates), those that the archive holds while artdaqDB does not, and those whose update an import stores. The number does not show them, as it
 * does those above. Durable before the first of them is put, or passed by the number. Where the file is lost, what it named counts as compared.
 */
export class InHand {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** What a damaged file named counts as compared. Throws STATE_UNREADABLE where the system does not give what stands there: that is not known. */
  async read(): Promise<RunSet> {
    const text = (await textIfThere(this.#path)) ?? ''
    try {
      return RunSet.parse(text.trim())
    } catch (error) {
      if (error instanceof SyntaxError) return RunSet.EMPTY
      throw error
    }
  }

  /** For the holder of the lock. No file where there are none. Throws STATE_UNWRITABLE. */
  async write(runs: RunSet): Promise<void> {
    try {
      if (runs.isEmpty) await rm(this.#path, { force: true })
      else await replaceFile(this.#path, `${runs.toString()}\n`)
    } catch (error) {
      throw unwritable(this.#path, error)
    }
    step('in-hand: written')
  }
}
