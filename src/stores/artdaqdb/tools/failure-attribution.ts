import { ArchiverError } from '../../../errors.ts'
import type { ToolResult } from './process.ts'

/** What bulkloader's failures end in, one run's or every run's: its exit code does not say. */
const DOUBTFUL = new Set(['STORE_REFUSED', 'VERIFY_MISMATCH'])

/**
 * Distinguishes a run that a tool cannot take from a tool that takes nothing. One run that fails is to blame itself, so that it does not block the
 * rest; when the next one fails as well, it is the tool or what is behind it: then STORE_UNAVAILABLE, and the pass stops with its runs pending.
 */
export class Blame {
  #suspect: number | undefined

  async during(run: number, work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.#suspect = undefined
    } catch (error) {
      if (!(error instanceof ArchiverError) || !DOUBTFUL.has(error.code)) throw error
      const before = this.#suspect
      this.#suspect = run
      if (before === undefined || before === run) throw error
      throw new ArchiverError('STORE_UNAVAILABLE', `${error.message}; so did run ${before} just before`, {
        cause: error,
        hint: "artdaq's tools, their environment, or the disk or database behind them: run-archiver config check, and load a run by hand",
      })
    }
  }
}

/** No run's fault: not started (126, 127), arguments of ours that it does not take (129 to 131), killed from outside (137, 143), a full disk. */
export const isNobodys = ({ code, stderr }: ToolResult): boolean =>
  [126, 127, 129, 130, 131, 137, 143].includes(code) ||
  /no space left|quota exceeded|read-only file system/i.test(stderr)
