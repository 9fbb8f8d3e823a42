import { monotonic } from '../platform/host.ts'

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
  let opening: Promise<T> | undefined
  let failed: { readonly at: number; readonly error: unknown } | undefined
  let timer: NodeJS.Timeout | undefined
  const drop = async (): Promise<void> => {
    clearTimeout(timer)
    const old = opening
    opening = undefined
    const opened = await old?.catch(() => undefined)
    if (opened !== undefined) await close(opened).catch(() => undefined)
  }
  return {
    use: async (work) => {
      if (failed && monotonic() - failed.at < PAUSE) throw failed.error
      opening ??= open()
      const mine = opening
      clearTimeout(timer)
      timer = setTimeout(() => void drop(), IDLE)
      timer.unref()
      try {
        const result = await work(await mine)
        failed = undefined
        return result
      } catch (error) {
        failed = { at: monotonic(), error }
        if (opening === mine) await drop()
        throw error
      }
    },
    close: drop,
  }
}
