/** Every way in which this program fails on purpose. docs/ERRORS.md explains each; a test holds the two together. */
export const CODES = {
  USAGE: { exit: 64, retry: false },
  /** The process may not open as many files as it needs. */
  TOO_MANY_OPEN_FILES: { exit: 1, retry: true },
  CONFIG_INVALID: { exit: 78, retry: false },
  /** A mapping of records that cannot be used. */
  MAPPING_INVALID: { exit: 78, retry: false },
  /** A run record that cannot be archived as it is: ambiguous name, too large, unreadable file. */
  RECORD_INVALID: { exit: 1, retry: false },
  /** A run record that moved while it was being read. It stays pending. */
  RECORD_CHANGING: { exit: 1, retry: true },
  /** The source directory is missing, unreadable, or empty where it was not. */
  SOURCE_UNAVAILABLE: { exit: 1, retry: true },
  /** A destination cannot be reached or cannot take anything at all: the pass stops, runs stay pending. */
  STORE_UNAVAILABLE: { exit: 1, retry: true },
  /** A destination refused this one run for a reason that another try will not cure. */
  STORE_REFUSED: { exit: 1, retry: false },
  /** What a store holds is damaged: an index, a document, a blob. */
  STORE_CORRUPT: { exit: 1, retry: false },
  /** The key is taken by other content. Nothing was overwritten. */
  CONFLICT: { exit: 1, retry: false },
  /** What was read back is not what was written. */
  VERIFY_MISMATCH: { exit: 1, retry: true },
  /** The run, or a document of it, is not there. */
  NOT_FOUND: { exit: 1, retry: false },
  FHICL_INVALID: { exit: 1, retry: false },
  STATE_CORRUPT: { exit: 1, retry: false },
  /** A state file of a later version of this program. It is left alone. */
  STATE_NEWER: { exit: 1, retry: false },
  /** A state file, failure log or their folder that others may write or redirect: a link, a FIFO, a world-writable folder. */
  STATE_UNSAFE: { exit: 1, retry: false },
  /** A state file or failure log that the system does not let us read. Unknown, so nothing is done. */
  STATE_UNREADABLE: { exit: 1, retry: true },
  STATE_UNWRITABLE: { exit: 1, retry: false },
  LOCK_HELD: { exit: 1, retry: true },
  /** The system cannot lock: no `flock` program, or a disk without locks. */
  LOCK_UNAVAILABLE: { exit: 1, retry: false },
  /** The lock file was removed, or its lock is no longer ours: nothing more is written. */
  LOCK_LOST: { exit: 1, retry: false },
  /** The shared backlog cannot be reached, or is not what this program knows: items stay pending. */
  QUEUE_UNAVAILABLE: { exit: 1, retry: true },
  /** The file of the backlog is another than the one that was opened: two backlogs would have a leader each. */
  QUEUE_REPLACED: { exit: 1, retry: false },
  /** A claim was lost: another instance may have the item, and nothing of this one counts. */
  QUEUE_CLAIM_LOST: { exit: 1, retry: false },
  /** The workers of an item died several times with it in hand. */
  QUEUE_POISON: { exit: 1, retry: false },
  RECORD_FAILED: { exit: 1, retry: false },
  LEDGER_UNAVAILABLE: { exit: 1, retry: true },
  /** A database server cannot be reached, or went away. */
  DATABASE_UNAVAILABLE: { exit: 1, retry: true },
  /** A database refused what a command asked: a right, a table or a disk is missing. */
  DATABASE_REFUSED: { exit: 1, retry: false },
  /** The preflight of `rows` found that moving rows would not be safe. Nothing was touched. */
  ROWS_REFUSED: { exit: 78, retry: false },
  /** A file of ids that cannot be read as one. */
  IDS_INVALID: { exit: 1, retry: false },
  /** A batch of rows could not be moved. It was rolled back. */
  ROWS_FAILED: { exit: 1, retry: false },
  /** A message for people was to be sent, and no channel took it. */
  NOBODY_TOLD: { exit: 1, retry: true },
  DISCREPANCY: { exit: 1, retry: false },
  INTERRUPTED: { exit: 130, retry: false },
} as const satisfies Record<string, { exit: number; retry: boolean }>

export type Code = keyof typeof CODES

export interface Details {
  readonly cause?: unknown
  /** What the operator can do about it: a sentence, best with a command. */
  readonly hint?: string
  /** The run it concerns, where it concerns one. */
  readonly run?: number
  /** Whether the store may be to blame, and not the run: what becomes of the next run shows it. */
  readonly doubtful?: boolean
}

/** An error that the operator sees. Anything else that is thrown is a bug and ends in exit 2. */
export class ArchiverError extends Error {
  readonly code: Code
  /** What the operator can do. The command line completes the commands in it. */
  hint: string | undefined
  readonly run: number | undefined
  readonly doubtful: boolean

  constructor(code: Code, message: string, { cause, hint, run, doubtful }: Details = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.hint = hint
    this.run = run
    this.doubtful = doubtful ?? code === 'VERIFY_MISMATCH'
  }

  /** Whether the same attempt may succeed when it is made again. */
  get retry(): boolean {
    return CODES[this.code].retry
  }

  get exitCode(): number {
    return CODES[this.code].exit
  }
}

/** The message of whatever was thrown, and of its causes, on one line. */
export const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `: ${messageOf(error.cause)}`
  return `${error.message}${error.message.includes(cause.slice(2)) ? '' : cause}`.replaceAll('\n', ' ')
}

/** The same, followed by the code that docs/ERRORS.md explains. */
export const messageWithCode = (error: unknown): string =>
  error instanceof ArchiverError ? `${messageOf(error)} [${error.code}]` : messageOf(error)

/** The error of a failed command, as `--json` has it. */
export interface FailureError {
  /** A code of docs/ERRORS.md; BUG for what nobody foresaw. */
  readonly code: string
  readonly message: string
  readonly hint: string | null
}

/** `{ code, message, hint }` of whatever was thrown. */
export const failureOf = (error: unknown): FailureError =>
  error instanceof ArchiverError
    ? { code: error.code, message: error.message, hint: error.hint ?? null }
    : { code: 'BUG', message: messageOf(error), hint: null }

/** The operating system's error code (`ENOENT`), where there is one. */
export const errnoOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
