import { createHash } from 'node:crypto'
import { backoff } from '../../common/backoff.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import { timeText } from '../../sql/timestamps.ts'
import { ItemError } from '../item-error.ts'
import { keyCell, type MappedRecord } from '../map/map-record.ts'
import type { PayloadOptions } from '../map-payload.ts'
import type { RecordSource } from '../sources/source.ts'
import { classOf } from '../sql/classify-error.ts'
import { ATTEMPTS, FIRST_WAIT } from '../sql/retry-transient.ts'
import type { LogEntry } from '../sql/processing-log.ts'
import {
  loggedState,
  storeFailure,
  storeItem,
  type StoreOptions,
  type StoreResult,
} from '../sql/store-item.ts'

export interface ItemOptions extends Omit<StoreOptions, 'reached'> {
  readonly source: RecordSource
  /** Reads and maps a payload. Throws an ItemError for what is wrong with it. */
  readonly map: (payload: string | Uint8Array, options: PayloadOptions) => Promise<MappedRecord>
  readonly strict: boolean
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly random: () => number
  /** Aborts when no item is to be tried again. */
  readonly stop: AbortSignal
  readonly reached: (step: string) => void
}

/** What became of one item. */
export interface ItemOutcome {
  readonly key: string
  readonly status: 'success' | 'failed' | 'done before'
  readonly result: 'stored' | 'present' | undefined
  readonly rowsWritten: number
  readonly warnings: number
  readonly error: ItemError | undefined
  readonly milliseconds: number
}

/**
 * One item from its payload to its rows. A failure of its own is recorded and returned; it never throws for one. What concerns every
 * item (a source or target that is away) is tried five times and then thrown as STORE_UNAVAILABLE: the item stays pending. `mapped` hears
 * the size of the payload when its rows only wait to be stored.
 */
export const processItem = (
  key: string,
  options: ItemOptions,
  mapped: (bytes: number) => void = () => undefined,
): Promise<ItemOutcome> => {
  const started = options.now()
  return againWhileTransient(key, started, options, () => attemptItem(key, started, options, mapped))
}

/**
 * Records that an item failed by what is known of it without trying it. As `processItem`, it is tried five times and then throws
 * STORE_UNAVAILABLE with what the target said.
 */
export const failItem = (key: string, error: ItemError, options: ItemOptions): Promise<ItemOutcome> => {
  const started = options.now()
  return againWhileTransient(key, started, options, async () =>
    outcome(key, started, options, {
      status: 'failed',
      error: await recordedFailure(key, null, started, error, options),
    }),
  )
}

const againWhileTransient = async (
  key: string,
  started: number,
  options: ItemOptions,
  work: () => Promise<ItemOutcome>,
): Promise<ItemOutcome> => {
  for (let attempt = 1; ; attempt++)
    try {
      return await work()
    } catch (error) {
      const kind = error instanceof ArchiverError ? 'unavailable' : classOf(error)
      const logged = kind === 'unknown' ? await loggedState(key, options).catch(() => undefined) : undefined
      if (logged?.status === 'success')
        return outcome(key, started, options, { result: 'stored', rowsWritten: logged.rowsWritten })
      if (error instanceof ArchiverError) throw error
      if (kind === 'unavailable' || attempt >= ATTEMPTS || options.stop.aborted)
        throw new ArchiverError('STORE_UNAVAILABLE', `the target cannot take records: ${messageOf(error)}`, {
          cause: error,
        })
      await new Promise((resolve) => setTimeout(resolve, backoff(attempt, FIRST_WAIT, options.random)))
    }
}

const attemptItem = async (
  key: string,
  started: number,
  options: ItemOptions,
  mapped: (bytes: number) => void,
): Promise<ItemOutcome> => {
  let payload: string | Uint8Array | null = null
  try {
    const read = await options.source.read(key)
    options.reached('read')
    if (read === undefined) throw new ItemError('SOURCE_GONE', 'the source no longer has the item')
    payload = read
    const record = await options.map(payload ?? '', {
      sourceKey: key,
      now: started,
      strict: options.strict,
    })
    options.reached('mapped')
    mapped(payload?.length ?? 0)
    const warnings = record.warnings.length === 0 ? null : JSON.stringify(record.warnings)
    const entry = { ...entryOf(key, payload, started, options), status: 'success' as const, warnings }
    const stored = await storeItem(record, entry, options)
    return outcome(key, started, options, { ...ofStore(stored), warnings: record.warnings.length })
  } catch (error) {
    if (!(error instanceof ItemError)) throw error
    return outcome(key, started, options, {
      status: 'failed',
      error: await recordedFailure(key, payload, started, error, options),
    })
  }
}

/** Records a failure. Where `processing_log` cannot hold the key, only the error names it; the other items go on. */
const recordedFailure = async (
  key: string,
  payload: string | Uint8Array | null,
  started: number,
  error: ItemError,
  options: ItemOptions,
): Promise<ItemError> => {
  try {
    await storeFailure(failureEntry(key, payload, started, error, options), options)
    return error
  } catch (cause) {
    if (classOf(cause) !== 'refused' || keyCell(key, options.mapping.record.keyType) !== undefined)
      throw cause
    return new ItemError('KEY_NOT_VALID', 'processing_log cannot hold the key of the source row')
  }
}

const ofStore = (stored: StoreResult): Partial<ItemOutcome> =>
  stored.result === 'done before' ? { status: 'done before' } : { status: 'success', ...stored }

const outcome = (
  key: string,
  started: number,
  { now }: ItemOptions,
  given: Partial<ItemOutcome>,
): ItemOutcome => ({
  key,
  status: 'success',
  result: undefined,
  rowsWritten: 0,
  warnings: 0,
  error: undefined,
  milliseconds: now() - started,
  ...given,
})

const entryOf = (
  key: string,
  payload: string | Uint8Array | null,
  started: number,
  { mapping, now }: ItemOptions,
): LogEntry => {
  const finished = now()
  return {
    key: keyCell(key, mapping.record.keyType) ?? key,
    status: 'failed',
    reason: null,
    stage: null,
    code: null,
    detail: null,
    warnings: null,
    result: null,
    rowsWritten: 0,
    tables: '{}',
    payloadSha256: payload === null ? null : createHash('sha256').update(payload).digest('hex'),
    payloadBytes: payload === null ? null : Buffer.byteLength(payload),
    startedAt: timeText(started),
    finishedAt: timeText(finished),
    durationMs: Math.max(0, finished - started),
  }
}

const failureEntry = (
  key: string,
  payload: string | Uint8Array | null,
  started: number,
  error: ItemError,
  options: ItemOptions,
): LogEntry => {
  const errors = [error, ...error.others].map(({ stage, code, message, place }) => {
    // The key of the other row is a value of the payload.
    const { key_of_row: _value, ...shown } = place
    return { stage, code, message, ...shown }
  })
  return {
    ...entryOf(key, payload, started, options),
    reason: Array.from(`${error.code}: ${error.message}`).slice(0, 500).join(''),
    stage: error.stage,
    code: error.code,
    detail: JSON.stringify(errors),
  }
}
