import type { Log } from '../common/log.ts'
import { itemTitle, numberOf } from '../common/item-keys.ts'
import { ArchiverError, errnoOf, toldOf } from '../errors.ts'
import type { EngineEvent, Listener } from '../engine/stage.ts'

const TITLES: Record<string, string> = { import: 'Import', migrate: 'Migrate' }
const titleOf = (stage: string): string => TITLES[stage] ?? stage
const DONE: Record<string, string> = {
  import: 'imported successfully',
  migrate: 'migrated and verified successfully',
}

/** How often a line of progress is logged where no progress bar is shown, in runs. */
const STRIDE = 10

/**
 * Writes a pass as log lines, in the words of the Python original with the prefix that its guide shows:
 * `[Import] [Run 12345] ✓ Run 12345 imported successfully`.
 */
export const narrator = (log: Log): Listener => {
  const progress = new Map<string, { total: number; done: number; failed: number }>()
  const counted = (stage: string, failed: boolean): void => {
    const count = progress.get(stage)
    if (!count) return
    if (failed) count.failed++
    else count.done++
    const processed = count.done + count.failed
    if (processed % STRIDE === 0 || processed === count.total)
      log.info(
        `[${titleOf(stage)}] Progress: ${processed}/${count.total} runs processed (${count.done} successful, ${count.failed} failed)`,
      )
  }
  return (event) => {
    if (event.type === 'pass-started') progress.set(event.stage, { total: event.total, done: 0, failed: 0 })
    write(log, event)
    if (event.type === 'item-done' || event.type === 'item-failed')
      counted(event.stage, event.type === 'item-failed')
  }
}

const write = (log: Log, event: EngineEvent): void => {
  const stage = `[${titleOf(event.stage)}]`
  switch (event.type) {
    case 'pass-started': {
      log.info(`${stage} ${event.total} run(s) to process, ${event.waiting} not ready (${event.mode})`)
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
        `${stage} [${nameOf(event)}] ✗ ${nameOf(event)} failed (attempt ${event.attempt}/${event.attempts}): ${toldOf(event.error)}`,
        about(event),
      )
      return
    }
    case 'item-done': {
      const already = event.processed.result === 'present' ? ' (already there, same content)' : ''
      const update = event.processed.result === 'updated' ? ' (stored again: its record had changed)' : ''
      log.info(
        `${stage} [${nameOf(event)}] ✓ ${nameOf(event)} ${DONE[event.stage] ?? 'done'}${already}${update}`,
        about(event),
      )
      for (const note of event.processed.notes) log.warn(`${stage} [${nameOf(event)}] ${note}`, about(event))
      return
    }
    case 'item-failed': {
      log.error(`${stage} [${nameOf(event)}] ✗ ${nameOf(event)} failed: ${toldOf(event.error)}`, {
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
        `${stage} Stopped (${event.reason})${event.error ? `: ${toldOf(event.error)}` : ': no further runs are taken'}`,
      )
      return
    }
    case 'pass-finished': {
      const { succeeded, failed, pending, milliseconds } = event.summary
      const seconds = milliseconds / 1000
      const rate = seconds > 0 ? (succeeded / seconds).toFixed(1) : '0'
      log.info(
        `${stage} Finished: ${succeeded} successful, ${failed} failed, ${pending ?? 0} pending in ${seconds.toFixed(1)} s (${rate} runs/s)`,
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

/** Fields of a log line. */
const about = ({ stage, key }: ItemName) => ({ stage, run: numberOf(key) ?? key })

/** What nobody foresaw and a run was failed for: the only cause of an invalid record that neither we nor the system threw. */
const bugIn = (error: Error): Error | undefined => {
  if (!(error instanceof ArchiverError && error.code === 'RECORD_INVALID')) return undefined
  const { cause } = error
  const isForeseen = cause instanceof ArchiverError || errnoOf(cause) !== undefined
  return cause instanceof Error && !isForeseen ? cause : undefined
}
