import { randomUUID } from 'node:crypto'
import type { Context } from '../../app/context.ts'
import { duration, pause } from '../../config/quantities.ts'
import type { Kind } from '../../config/value-types.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import { identity, monotonic, now, startTicks } from '../../platform/host.ts'
import type { BatchMode } from '../../rows/batch.ts'
import type { RowsEvent } from '../../rows/events.ts'
import type { RowsOptions } from '../../rows/options.ts'
import { FORCEABLE } from '../../rows/preflight/problem.ts'
import { gateOf } from './gate-of.ts'
import { archiveFilesOf, idsOf, maskOf, placesOf, type RowsConfig } from './rows-config.ts'

export interface RowsRunOptions {
  readonly config: string
  readonly json?: boolean
  readonly dryRun?: boolean
  readonly delete?: boolean
  readonly verifyOnly?: boolean
  readonly batchSize?: string
  readonly limitBatches?: string
  readonly runTime?: string
  readonly sleep?: string
  readonly file?: readonly string[]
  readonly onBatchError?: string
  readonly maxLag?: string
  readonly maxHll?: string
}

/** Milliseconds. A program that writes ids hands over what it has many times a second; one that stands still for so long has most likely ended. */
const QUIET = 5000

/** What a run does with rows, by its flags. Throws USAGE. */
export const modeOf = (options: RowsRunOptions): BatchMode => {
  const { dryRun, verifyOnly } = options
  const keepsLive = options.delete === false
  const chosen = [dryRun && '--dry-run', verifyOnly && '--verify-only', keepsLive && '--no-delete'].filter(
    Boolean,
  )
  if (chosen.length > 1) throw new ArchiverError('USAGE', `${chosen.join(' and ')} exclude each other`)
  if (dryRun) return 'try'
  if (verifyOnly) return 'verify'
  return keepsLive ? 'copy' : 'move'
}

/** A run by its configuration and flags. Throws USAGE for a flag that means nothing, IDS_INVALID where there are no files. */
export const optionsOf = (
  config: RowsConfig,
  options: RowsRunOptions,
  mode: BatchMode,
  context: Context,
  listener: (event: RowsEvent) => void,
): RowsOptions => {
  const { rows } = config
  const places = placesOf(config)
  const self = identity()
  const redact = maskOf(config)
  const seconds = (name: string, text: string | undefined, kind = duration()): number | undefined =>
    text === undefined ? undefined : secondsOf(name, text, kind)
  const runTime = seconds('--run-time', options.runTime) ?? rows.runTimeSeconds
  const maxLag = seconds('--max-lag', options.maxLag)
  return {
    places,
    table: rows.table,
    archiveTable: rows.archive.table || rows.archiveTable,
    archiveFiles: archiveFilesOf(config),
    children: rows.children,
    ...idsOf(config, options.file),
    list: { columns: rows.columns, header: rows.header, badLines: rows.badLines },
    quietMs: QUIET,
    batchSize: options.batchSize === undefined ? rows.batchSize : sizeOf(options.batchSize),
    mode,
    onBatchError: options.onBatchError === undefined ? rows.onBatchError : wordOf(options.onBatchError),
    runTimeMs: runTime === undefined ? undefined : runTime * 1000,
    limitBatches:
      options.limitBatches === undefined ? undefined : countOf('--limit-batches', options.limitBatches),
    sleepMs: (seconds('--sleep', options.sleep, pause()) ?? rows.sleepSeconds) * 1000,
    graceMs: rows.graceSeconds * 1000,
    forced: new Set(FORCEABLE.filter((name) => context.argv.includes(`--force-${name}`))),
    gate: gateOf(config, places.source, {
      maxLagMs: maxLag === undefined ? undefined : maxLag * 1000,
      maxHll: options.maxHll === undefined ? undefined : countOf('--max-hll', options.maxHll),
    }),
    listener,
    warn: (message) => context.err(`warning: ${redact(message)}\n`),
    redact,
    signal: context.signal,
    monotonic,
    now,
    self,
    here: { host: self.host, bootId: self.bootId, startTicksOf: startTicks },
    runId: randomUUID(),
  }
}

const secondsOf = (name: string, text: string, kind: Kind<number>): number => {
  try {
    return kind.read(text, { directory: '/' })
  } catch (cause) {
    throw new ArchiverError('USAGE', `${name}: "${text}": ${messageOf(cause)}`, { cause })
  }
}

const countOf = (name: string, text: string): number => {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new ArchiverError('USAGE', `${name}: "${text}" is not a number from 1`)
}

const sizeOf = (text: string): number | 'auto' => {
  if (text === 'auto') return 'auto'
  const size = countOf('--batch-size', text)
  if (size > 10_000) throw new ArchiverError('USAGE', `--batch-size: ${size} is more than 10000`)
  return size
}

const wordOf = (text: string): 'stop' | 'continue' => {
  if (text === 'stop' || text === 'continue') return text
  throw new ArchiverError('USAGE', `--on-batch-error: "${text}" is neither stop nor continue`)
}
