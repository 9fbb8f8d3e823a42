import { monotonic } from '../host.ts'
import type { OpenLog } from '../log.ts'
import type { Listener } from '../stages/stage.ts'
import { narrator } from '../status/narrator.ts'
import type { Context } from './context.ts'
import type { Archiver } from './open.ts'
import type { SessionOptions } from './session.ts'

/** Whoever listens to the passes of a session. */
export interface Listeners {
  readonly listener: Listener
  close(): Promise<void>
}

/** Opens everything that is told of a pass: log lines, progress bar. */
export const openListeners = async (
  _archiver: Archiver,
  options: SessionOptions,
  context: Context,
  log: OpenLog,
): Promise<Listeners> => {
  const listeners: Listener[] = [narrator(log)]
  if (context.terminal.interactive && !options.json && !options.verbose) {
    const { progressBar } = await import('../status/progress-bar.ts')
    listeners.push(progressBar(monotonic))
  }
  return {
    listener: (event) => {
      for (const listener of listeners) listener(event)
    },
    close: () => Promise.resolve(),
  }
}
