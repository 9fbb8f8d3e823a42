import { serverErrorOf } from '../common/server-error.ts'
import { fileLimitError } from '../platform/open-files.ts'

/** What a command threw; as an error for the operator where the system or a database is to blame, wherever it was thrown. All else is a bug. */
export const foreseen = (thrown: unknown): unknown =>
  fileLimitError(thrown) ?? serverErrorOf(thrown) ?? thrown
