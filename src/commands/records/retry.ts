import type { Command } from '../../app/context.ts'
import { runCommand, type RecordsRunOptions } from './run.ts'

/** `records retry TASK`: takes failed items again, and no others. */
export const retryCommand: Command<RecordsRunOptions> = (options, context) =>
  runCommand({ ...options, retryFailed: true, limit: options.limit ?? '0' }, context)
