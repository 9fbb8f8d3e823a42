import { type Context, stopCode } from '../app/context.ts'
import { ArchiverError } from '../errors.ts'
import { foreseen } from '../app/foreseen.ts'

/** Prints what a command threw: what people can mend with its hint, all else as a bug with its stack. Returns the exit code. */
export const printFailure = (thrown: unknown, context: Pick<Context, 'err' | 'signal'>): number => {
  const error = foreseen(thrown)
  if (error instanceof ArchiverError) {
    printError(error, context)
    const isStopped = error.code === 'INTERRUPTED' && context.signal.aborted
    return isStopped ? stopCode(context.signal) : error.exitCode
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  context.err(`run-archiver: this is a bug: ${text}\n`)
  return 2
}

const printError = ({ message, code, hint }: ArchiverError, { err }: Pick<Context, 'err'>): void =>
  err(`run-archiver: ${message} [${code}]\n${hint ? `  ${hint}\n` : ''}`)
