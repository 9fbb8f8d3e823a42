import type { Started } from '../common/own-command.ts'
import type { EarlyCommand } from '../platform/session-command.ts'

/** What a command is given of the process: no command touches argv, stdout, signals or the environment itself. */
export interface Context {
  /** Standard output: what the user asked for. Nothing else goes there. */
  out(text: string): void
  /** Standard error: warnings and progress. */
  err(text: string): void
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts at the first SIGINT, SIGTERM or SIGHUP; its reason is the signal's name. */
  readonly signal: AbortSignal
  /** From now on SIGHUP calls this instead of stopping the process (the daemon re-reads its configuration). */
  onHangup(listener: () => void): void
  /** Ends the process with SIGKILL: for when a read that never returns would keep it alive. */
  die(): never
  /** Whether standard error is a terminal, and how wide. */
  readonly terminal: { readonly interactive: boolean; readonly columns: number; readonly color: boolean }
  /** The built program's file for worker threads; without it everything is done on the main thread. */
  readonly threadFile?: string | undefined
  /** Arguments without the program's name, for the ledger (secrets never stand in argv). */
  readonly argv: readonly string[]
  /** Words of a shell that start this program again as it was started; `run-archiver` unless given. */
  readonly program?: string | undefined
  /** The configuration that the command was given, where it reads one. */
  readonly configFile?: string | undefined
  /** The command of `track run`, which runs already. */
  readonly early?: EarlyCommand | undefined
  readonly version: string
  /** The commit that the program was built from, where it was built from a checkout. */
  readonly commit?: string | undefined
}

/** How this program was started, for the commands that it recommends. */
export const startedAs = ({ program = 'run-archiver' }: Context, config: string): Started => ({
  program,
  config,
})

/** A command: options as commander gives them, and the exit code of docs/ERRORS.md as the answer. */
export type Command<Options> = (options: Options, context: Context) => Promise<number>

/**
 * A command that only reads, ended by the first signal wherever it is, in the middle of a listing or of a read that hangs: there is
 * nothing to save. What it was doing is left to the end of the process.
 */
export const untilStopped =
  <Options>(command: Command<Options>): Command<Options> =>
  (options, context) =>
    new Promise((resolve, reject) => {
      const { signal } = context
      const stop = (): void => resolve(stopCode(signal))
      if (signal.aborted) stop()
      else {
        signal.addEventListener('abort', stop, { once: true })
        command(options, context)
          .then(resolve, reject)
          .finally(() => signal.removeEventListener('abort', stop))
      }
    })

/** The exit code after a stop: as a shell reports the signal, except that a hang-up counts as SIGTERM. */
export const stopCode = (signal: AbortSignal): number => (signal.reason === 'SIGINT' ? 130 : 143)
