import { ArchiverError } from '../../errors.ts'
import type { Choice } from '../../records/run/choose-keys.ts'

/** The flags that say which items a run takes, as they are given. */
export interface SelectionOptions {
  readonly batchSize?: string
  readonly limit?: string
  readonly all?: boolean
  readonly appIdStart?: string
  readonly appIdEnd?: string
  readonly instanceId?: string
  readonly instanceCount?: string
  readonly moduloInstance?: string
  readonly moduloShard?: string
  readonly retryFailed?: boolean
  /** False for `--no-exclude-failed`. */
  readonly excludeFailed?: boolean
  readonly code?: string
  readonly maxRetries?: string
}

export interface RunSelection {
  readonly choice: Choice
  readonly batchSize: number | undefined
  readonly limit: number
  readonly from: string | undefined
  readonly to: string | undefined
}

/** Items that a run takes where neither a limit nor a range is given. */
const DEFAULT_LIMIT = 10_000

/** Reads the flags. All conditions hold together. Throws USAGE. */
export const readRunOptions = (options: SelectionOptions): RunSelection => {
  const { appIdStart: from, appIdEnd: to } = options
  const onlyFailed = options.retryFailed ?? false
  const hasRange = from !== undefined || to !== undefined
  const limit = options.limit === undefined ? undefined : whole('--limit', options.limit)
  const choice: Choice = {
    instance: instanceOf(options),
    failed: onlyFailed || options.excludeFailed === false,
    onlyFailed,
    code: options.code,
    maxRetries: options.maxRetries === undefined ? Infinity : whole('--max-retries', options.maxRetries),
  }
  return {
    choice,
    batchSize:
      options.batchSize === undefined ? undefined : Math.max(1, whole('--batch-size', options.batchSize)),
    limit: limit === 0 || options.all ? Infinity : (limit ?? (hasRange ? Infinity : DEFAULT_LIMIT)),
    from: from?.trim(),
    to: to?.trim(),
  }
}

const whole = (flag: string, text: string): number => {
  if (/^\d{1,12}$/.test(text)) return Number(text)
  throw new ArchiverError('USAGE', `${flag}: "${text}" is not a whole number`)
}

const instanceOf = (options: SelectionOptions): Choice['instance'] => {
  const id = options.instanceId ?? options.moduloInstance
  const count = options.instanceCount ?? options.moduloShard
  if (id === undefined && count === undefined) return undefined
  if (id === undefined || count === undefined)
    throw new ArchiverError('USAGE', '--instance-id and --instance-count go together')
  const instance = { id: whole('--instance-id', id), count: whole('--instance-count', count) }
  if (instance.count < 1 || instance.id >= instance.count)
    throw new ArchiverError('USAGE', `--instance-id must be from 0 to ${Math.max(0, instance.count - 1)}`)
  return instance
}
