/** What a command is given of the process: no command touches argv, stdout, signals or the environment itself. */
export interface Context {
  /** Standard output: what the user asked for. Nothing else goes there. */
  out(text: string): void
  /** Standard error: warnings and progress. */
  err(text: string): void
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal
  /** Whether standard error is a terminal, and how wide. */
  readonly terminal: { readonly interactive: boolean; readonly columns: number; readonly color: boolean }
  /** Arguments without the program's name, for the ledger (secrets never stand in argv). */
  readonly argv: readonly string[]
  readonly version: string
}

/** A command: options as commander gives them, and the exit code of DESIGN section 4 as the answer. */
export type Command<Options> = (options: Options, context: Context) => Promise<number>
