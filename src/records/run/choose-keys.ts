import { createHash } from 'node:crypto'
import type { KeyType } from '../mapping/model.ts'
import type { LogState } from '../sql/processing-log.ts'

/** Which items an instance takes. All conditions hold together. */
export interface Choice {
  readonly instance: { readonly id: number; readonly count: number } | undefined
  /** Items that failed are taken as well. */
  readonly failed: boolean
  /** Only failed items. */
  readonly onlyFailed: boolean
  /** Of failed items, only those with this code. */
  readonly code: string | undefined
  /** Of failed items, only those that were tried again less often. */
  readonly maxRetries: number
}

/** Whether an item is this instance's: by its key modulo the count, which is never negative; text keys by their hash. */
export const isOwn = (key: string, keyType: KeyType, instance: Choice['instance']): boolean => {
  if (!instance) return true
  const number =
    keyType === 'bigint' && /^-?\d+$/.test(key)
      ? BigInt(key)
      : BigInt(`0x${createHash('sha256').update(key).digest('hex').slice(0, 15)}`)
  const count = BigInt(instance.count)
  return ((number % count) + count) % count === BigInt(instance.id)
}

/** Whether an item is to be tried, by what the log says of it. One that succeeded never is. */
export const isDue = (
  state: LogState | undefined,
  { failed, onlyFailed, code, maxRetries }: Choice,
): boolean => {
  if (!state) return !onlyFailed
  if (state.status === 'success' || !failed) return false
  return (code === undefined || state.code === code) && state.retryCount < maxRetries
}
