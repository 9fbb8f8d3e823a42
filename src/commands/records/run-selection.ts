import { ArchiverError } from '../../errors.ts'
import { ITEM_CODES } from '../../records/item-error.ts'
import type { KeyType } from '../../records/mapping/model.ts'
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

/** Keys that are read at once: as many as `records.batch_size` may say. */
const MOST_KEYS = 100_000

/** Reads the flags. All conditions hold together. Throws USAGE. */
export const readRunOptions = (options: SelectionOptions): RunSelection => {
  const { appIdStart: from, appIdEnd: to } = options
  const onlyFailed = options.retryFailed ?? false
  const hasRange = from !== undefined || to !== undefined
  const limit = options.limit === undefined ? undefined : whole('--limit', options.limit)
  requireNoContradiction(options, limit)
  const choice: Choice = {
    instance: instanceOf(options),
    failed: onlyFailed || options.excludeFailed === false,
    onlyFailed,
    code: options.code,
    maxRetries: options.maxRetries === undefined ? Infinity : whole('--max-retries', options.maxRetries),
  }
  return {
    choice,
    batchSize: options.batchSize === undefined ? undefined : batchSizeOf(options.batchSize),
    limit: limit === 0 || options.all ? Infinity : (limit ?? (hasRange ? Infinity : DEFAULT_LIMIT)),
    from: from?.trim(),
    to: to?.trim(),
  }
}

/**
 * Holds the range against the keys of the mapping: bounds of numbers are numbers, and the first is not above the last. A bound of any other kind would
 * take every key, or none, without a word. Throws USAGE.
 */
export const requireRange = ({ from, to }: RunSelection, keyType: KeyType): void => {
  if (keyType !== 'bigint') return
  const bounds = { '--app-id-start': from, '--app-id-end': to }
  for (const [flag, bound] of Object.entries(bounds))
    if (bound !== undefined && !/^-?\d{1,19}$/.test(bound))
      throw new ArchiverError('USAGE', `${flag}: "${bound}" is not a whole number, and the keys are numbers`)
  if (from !== undefined && to !== undefined && BigInt(from) > BigInt(to))
    throw new ArchiverError('USAGE', `--app-id-start ${from} is above --app-id-end ${to}`)
}

const requireNoContradiction = (options: SelectionOptions, limit: number | undefined): void => {
  const { code, maxRetries, retryFailed = false, excludeFailed = true, all = false } = options
  if (all && limit !== undefined && limit > 0)
    throw new ArchiverError('USAGE', '--all and --limit exclude each other')
  if (retryFailed && !excludeFailed)
    throw new ArchiverError('USAGE', '--retry-failed and --no-exclude-failed exclude each other', {
      hint: '--retry-failed takes failed items alone, --no-exclude-failed new ones as well',
    })
  const flag = code === undefined ? (maxRetries === undefined ? undefined : '--max-retries') : '--code'
  if (flag !== undefined && !retryFailed && excludeFailed)
    throw new ArchiverError('USAGE', `${flag} chooses among failed items, which are left out`, {
      hint: 'records retry TASK, --retry-failed or --no-exclude-failed takes them',
    })
  if (code !== undefined && !Object.hasOwn(ITEM_CODES, code))
    throw new ArchiverError('USAGE', `--code: there is no code ${code}`, {
      hint: 'records report TASK lists the codes of failed items',
    })
}

const batchSizeOf = (text: string): number => {
  const size = whole('--batch-size', text)
  if (size >= 1 && size <= MOST_KEYS) return size
  throw new ArchiverError('USAGE', `--batch-size: "${text}" is not a number from 1 to ${MOST_KEYS}`)
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
