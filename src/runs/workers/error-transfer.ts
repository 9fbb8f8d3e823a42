import { ArchiverError, type Code } from '../../errors.ts'

/** What a thread answers another with: errors of ours and of the system would lose their codes on the way. */
export type Answer<T> = { readonly value: T } | { readonly error: CrossingError }

interface CrossingError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** What an error of the system has besides: `code`, `errno`, `syscall`, `path`. */
  readonly facts: Readonly<Record<string, unknown>>
  readonly ours: { readonly code: Code; readonly hint?: string; readonly run?: number } | undefined
  readonly cause: CrossingError | undefined
}

/** Does a work and answers with what came of it. Never rejects. */
export const answerOf = async <T>(work: () => Promise<T>): Promise<Answer<T>> => {
  try {
    return { value: await work() }
  } catch (error) {
    return { error: packError(error) }
  }
}

/** The value of an answer from another thread; throws its error, of the same class and with the same code. */
export const takeAnswer = <T>(answer: Answer<T>): T => {
  if ('error' in answer) throw unpackError(answer.error)
  return answer.value
}

const packError = (thrown: unknown): CrossingError => {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { name, message, stack, cause } = error
  const ours = error instanceof ArchiverError ? oursOf(error) : undefined
  const facts = Object.fromEntries(
    Object.entries(error).filter(([, fact]) => typeof fact === 'string' || typeof fact === 'number'),
  )
  return { name, message, stack, facts, ours, cause: cause === undefined ? undefined : packError(cause) }
}

const oursOf = ({ code, hint, run }: ArchiverError): CrossingError['ours'] => ({
  code,
  ...(hint === undefined ? {} : { hint }),
  ...(run === undefined ? {} : { run }),
})

const unpackError = ({ name, message, stack, facts, ours, cause }: CrossingError): Error => {
  const because = cause && unpackError(cause)
  const error = ours
    ? new ArchiverError(ours.code, message, { ...ours, cause: because })
    : Object.assign(new Error(message, because && { cause: because }), facts, { name })
  if (stack !== undefined) error.stack = stack
  return error
}
