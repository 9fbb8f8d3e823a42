import { monotonic } from '../platform/host.ts'
import { Lent } from './lent.ts'

/** Milliseconds without a question after which it is closed. */
const IDLE = 60_000
/** Milliseconds without a new try after one failed. */
const PAUSE = 2000

export interface KeptOpen<T> {
  /** Lends it, opened where it is not. What `open` or `work` throws is thrown; then it is opened anew next time. */
  use<Result>(work: (opened: T) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

/** A connection that is opened at the first question, kept while questions come, and closed when none came for a minute. */
export const keptOpen = <T>(open: () => Promise<T>, close: (opened: T) => Promise<void>): KeptOpen<T> => {
  const lent = new Lent(open, close)
  let failed: { readonly at: number; readonly error: unknown } | undefined
  let timer: NodeJS.Timeout | undefined
  const closeLater = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => (lent.isBusy ? closeLater() : void lent.end()), IDLE)
    timer.unref()
  }
  return {
    use: async (work) => {
      if (failed && monotonic() - failed.at < PAUSE) throw failed.error
      closeLater()
      try {
        const result = await lent.use(work)
        failed = undefined
        return result
      } catch (error) {
        failed = { at: monotonic(), error }
        throw error
      }
    },
    close: async () => {
      clearTimeout(timer)
      await lent.end()
    },
  }
}
