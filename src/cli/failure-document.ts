import { failureOf } from '../errors.ts'
import { foreseen } from '../app/foreseen.ts'

/** Whether a command line asks for JSON; also one that cannot be parsed. What stands after `--` belongs to another program. */
export const asksForJson = (argv: readonly string[]): boolean => {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json')
}

/** Standard output of a command that owes one JSON document, also when it fails. */
export interface DocumentOutput {
  /** Standard output, for the command. */
  out(text: string): void
  /** Writes `{"error": {code, message, hint}}`, where `--json` was given and the command has written nothing. */
  fail(error: unknown): void
}

/** Watches whether a command writes its document. Without `--json` it passes everything on, and `fail` writes nothing. */
export const documentOutput = (argv: readonly string[], write: (text: string) => void): DocumentOutput => {
  let isWritten = !asksForJson(argv)
  return {
    out: (text) => {
      isWritten = true
      write(text)
    },
    fail: (error) => {
      if (isWritten) return
      isWritten = true
      write(`${JSON.stringify({ error: failureOf(foreseen(error)) }, null, 2)}\n`)
    },
  }
}
