import { counted } from '../common/counted.ts'
import type { Log } from '../common/log.ts'
import { itemTitle, numberOf, withoutTitle } from '../common/item-keys.ts'
import { messageClass } from '../common/message-class.ts'
import { ArchiverError, errnoOf, messageWithCode } from '../errors.ts'
import type { EngineEvent, Listener } from '../engine/stage.ts'

const TITLES: Record<string, string> = { import: 'Import', migrate: 'Migrate' }
const titleOf = (stage: string): string => TITLES[stage] ?? stage
const DONE: Record<string, string> = {
  import: 'imported successfully',
  migrate: 'migrated and verified successfully',
}

/** Lines of progress of a stage, where no progress bar is shown; and the fewest runs between two. */
const PROGRESS_LINES = 10
const STRIDE = 10
/** Passes of fewer runs have a line for each run. */
const FEW = 50
/** Notes of one kind, and runs that are there already, of which each has a line. */
const NOTED = 10
const NAMED_ALREADY = 1000

export interface NarratorOptions {
  /** A line for each run at INFO: always, never, or (undefined) in passes of fewer than 50 runs. */
  readonly eachRun?: boolean | undefined
}

interface Count {
  readonly total: number | undefined
  done: number
  failed: number
  /** By kind, how often something was noted of a run. */
  readonly notes: Map<string, number>
}

/**
 * Writes a pass as log lines, in the words of the Python original with the prefix that its guide shows:
 * `[Import] [Run 12345] ✓ Run 12345 imported successfully`. A pass of many runs has some thirty lines, and one for each run that failed.
 */
export const narrator = (log: Log, { eachRun }: NarratorOptions = {}): Listener => {
  const progress = new Map<string, Count>()
  const counted = (stage: string, failed: boolean): void => {
    const count = progress.get(stage)
    if (!count) return
    if (failed) count.failed++
    else count.done++
    const processed = count.done + count.failed
    if (processed % strideOf(count.total, processed) !== 0 && processed !== count.total) return
    const of = count.total === undefined ? '' : `/${count.total}`
    log.info(
      `[${titleOf(stage)}] Progress: ${processed}${of} runs processed (${count.done} successful, ${count.failed} failed)`,
    )
  }
  const isNamed = (count: Count | undefined): boolean =>
    eachRun ?? (count === undefined || ((count.total ?? 0) < FEW && count.done < FEW))
  return (event) => {
    if (event.type === 'pass-started')
      progress.set(event.stage, { total: event.total, done: 0, failed: 0, notes: new Map() })
    const count = progress.get(event.stage)
    if (event.type === 'item-done') writeDone(log, event, count, isNamed(count))
    else write(log, event)
    if (event.type === 'item-done' || event.type === 'item-failed')
      counted(event.stage, event.type === 'item-failed')
    if (event.type === 'pass-finished')
      for (const [kind, times] of count?.notes ?? [])
        if (times > NOTED)
          log.warn(`[${titleOf(event.stage)}] ${times - NOTED} more runs have the note: ${kind}`)
  }
}

/** Items between two lines of progress. Where nobody knows how many there are, the more were done the fewer lines: 10, 20 ... 90, 100, 200. */
const strideOf = (total: number | undefined, processed: number): number =>
  total === undefined
    ? Math.max(STRIDE, 10 ** Math.floor(Math.log10(processed)))
    : Math.max(STRIDE, Math.ceil(total / PROGRESS_LINES))

const writeDone = (
  log: Log,
  event: Extract<EngineEvent, { type: 'item-done' }>,
  count: Count | undefined,
  isNamed: boolean,
): void => {
  const prefix = `[${titleOf(event.stage)}] [${nameOf(event)}]`
  const { result, notes } = event.processed
  const already = result === 'present' ? ' (already there, same content)' : ''
  const update = result === 'updated' ? ' (stored again: its record had changed)' : ''
  const line = `${prefix} ✓ ${nameOf(event)} ${DONE[event.stage] ?? 'done'}${already}${update}`
  if (isNamed) log.info(line, about(event))
  else log.debug(line, about(event))
  if (result === 'present')
    log.debug(`${prefix} Configuration ${event.key} is already archived`, about(event))
  for (const note of notes) {
    const kind = messageClass(note)
    const times = (count?.notes.get(kind) ?? 0) + 1
    count?.notes.set(kind, times)
    if (times <= NOTED) log.warn(`${prefix} ${note}`, about(event))
    else log.debug(`${prefix} ${note}`, about(event))
  }
}

/** A full pass leaves out what is archived; each of them has a line for whoever asks why. */
const writeAlready = (log: Log, { stage, already }: Extract<EngineEvent, { type: 'listed' }>): void => {
  let named = 0
  for (const key of already) {
    if (named++ === NAMED_ALREADY) {
      log.debug(`[${titleOf(stage)}] and more configurations are already archived`)
      return
    }
    log.debug(
      `[${titleOf(stage)}] [Run ${key}] Configuration ${key} is already archived`,
      about({ stage, key: String(key) }),
    )
  }
}

const write = (log: Log, event: EngineEvent): void => {
  const stage = `[${titleOf(event.stage)}]`
  switch (event.type) {
    case 'pass-started': {
      log.info(
        event.total === undefined
          ? `${stage} Takes runs from the backlog (${event.mode})`
          : `${stage} ${counted(event.total, 'run')} to process, ${event.waiting} not ready (${event.mode})`,
      )
      return
    }
    case 'item-started': {
      log.debug(
        `${stage} [${nameOf(event)}] → Processing ${itemTitle(event.stage, event.key)} (attempt ${event.attempt}/${event.attempts})`,
        about(event),
      )
      return
    }
    case 'item-retry': {
      log.warn(
        `${stage} [${nameOf(event)}] ✗ ${nameOf(event)} failed (attempt ${event.attempt}/${event.attempts}): ${reasonOf(event)}`,
        about(event),
      )
      return
    }
    case 'listed': {
      writeAlready(log, event)
      return
    }
    case 'item-done':
      return
    case 'item-failed': {
      log.error(`${stage} [${nameOf(event)}] ✗ ${nameOf(event)} failed: ${reasonOf(event)}`, {
        ...about(event),
        error: event.error,
      })
      const bug = bugIn(event.error)
      if (bug) log.error(`${stage} [${nameOf(event)}] this is a bug`, { ...about(event), error: bug })
      return
    }
    case 'item-lost': {
      log.warn(`${stage} [${nameOf(event)}] its claim was lost; another instance has it`, about(event))
      return
    }
    case 'batch-committed': {
      log.debug(
        `${stage} Batch ${event.batch} recorded: ${event.done.length} stored, ${event.failed.length} failed`,
      )
      return
    }
    case 'pass-stopped': {
      log.warn(
        `${stage} Stopped (${event.reason})${event.error ? `: ${messageWithCode(event.error)}` : ': no further runs are taken'}`,
      )
      return
    }
    case 'pass-finished': {
      const { succeeded, failed, pending, milliseconds } = event.summary
      const seconds = milliseconds / 1000
      const rate = seconds > 0 ? (succeeded / seconds).toFixed(1) : '0'
      log.info(
        `${stage} Finished: ${succeeded} successful, ${failed} failed${pending === undefined ? '' : `, ${pending} pending`} in ${seconds.toFixed(1)} s (${rate} runs/s)`,
      )
      return
    }
  }
}

type ItemName = { readonly stage: string; readonly key: string }

/** `Run 12`. */
const nameOf = ({ stage, key }: ItemName): string => {
  const title = itemTitle(stage, key)
  return `${title.charAt(0).toUpperCase()}${title.slice(1)}`
}

/** Why an item failed, for a line that names it. */
const reasonOf = ({ stage, key, error }: ItemName & { readonly error: Error }): string =>
  withoutTitle(stage, key, messageWithCode(error))

/** Fields of a log line. */
const about = ({ stage, key }: ItemName) => ({ stage, run: numberOf(key) ?? key })

/** What nobody foresaw and a run was failed for: the only cause of an invalid record that neither we nor the system threw. */
const bugIn = (error: Error): Error | undefined => {
  if (!(error instanceof ArchiverError && error.code === 'RECORD_INVALID')) return undefined
  const { cause } = error
  const isForeseen = cause instanceof ArchiverError || errnoOf(cause) !== undefined
  return cause instanceof Error && !isForeseen ? cause : undefined
}
