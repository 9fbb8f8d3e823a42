import type { Log } from '../common/log.ts'
import { ArchiverError, errnoOf, toldOf } from '../errors.ts'
import type { EngineEvent, Listener, StageName } from '../engine/stage.ts'

const TITLES: Record<StageName, string> = { import: 'Import', migrate: 'Migrate' }
const DONE: Record<StageName, string> = {
  import: 'imported successfully',
  migrate: 'migrated and verified successfully',
}

/** How often a line of progress is logged where no progress bar is shown, in runs. */
const STRIDE = 10

/**
 * Tells a pass as log lines, in the words of the Python original (spec/RUN_RECORDS.md 7.5) with the prefix of seed 003:
 * `[Import] [Run 12345] ✓ Run 12345 imported successfully`.
 */
export const narrator = (log: Log): Listener => {
  const progress = new Map<StageName, { total: number; done: number; failed: number }>()
  const counted = (stage: StageName, failed: boolean): void => {
    const count = progress.get(stage)
    if (!count) return
    if (failed) count.failed++
    else count.done++
    const processed = count.done + count.failed
    if (processed % STRIDE === 0 || processed === count.total)
      log.info(
        `[${TITLES[stage]}] Progress: ${processed}/${count.total} runs processed (${count.done} successful, ${count.failed} failed)`,
      )
  }
  return (event) => {
    if (event.type === 'pass-started') progress.set(event.stage, { total: event.total, done: 0, failed: 0 })
    tell(log, event)
    if (event.type === 'run-done' || event.type === 'run-failed')
      counted(event.stage, event.type === 'run-failed')
  }
}

const tell = (log: Log, event: EngineEvent): void => {
  const stage = `[${TITLES[event.stage]}]`
  const about = (run: number) => ({ stage: event.stage, run })
  switch (event.type) {
    case 'pass-started': {
      log.info(`${stage} ${event.total} run(s) to process, ${event.waiting} not ready (${event.mode})`)
      return
    }
    case 'run-started': {
      log.debug(
        `${stage} [Run ${event.run}] → Processing run ${event.run} (attempt ${event.attempt}/${event.attempts})`,
        about(event.run),
      )
      return
    }
    case 'run-retry': {
      log.warn(
        `${stage} [Run ${event.run}] ✗ Run ${event.run} failed (attempt ${event.attempt}/${event.attempts}): ${toldOf(event.error)}`,
        about(event.run),
      )
      return
    }
    case 'run-done': {
      const already = event.processed.result === 'present' ? ' (already there, same content)' : ''
      const update = event.processed.result === 'updated' ? ' (stored again: its record had changed)' : ''
      log.info(
        `${stage} [Run ${event.run}] ✓ Run ${event.run} ${DONE[event.stage]}${already}${update}`,
        about(event.run),
      )
      for (const note of event.processed.notes)
        log.warn(`${stage} [Run ${event.run}] ${note}`, about(event.run))
      return
    }
    case 'run-failed': {
      log.error(`${stage} [Run ${event.run}] ✗ Run ${event.run} failed: ${toldOf(event.error)}`, {
        ...about(event.run),
        error: event.error,
      })
      const bug = bugIn(event.error)
      if (bug) log.error(`${stage} [Run ${event.run}] this is a bug`, { ...about(event.run), error: bug })
      return
    }
    case 'batch-committed': {
      log.debug(
        `${stage} Batch ${event.batch} recorded: ${event.runs.size} stored, ${event.failed.size} failed`,
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
      const { succeeded, failed, pending, milliseconds } = event.outcome
      const seconds = milliseconds / 1000
      const rate = seconds > 0 ? (succeeded.size / seconds).toFixed(1) : '0'
      log.info(
        `${stage} Finished: ${succeeded.size} successful, ${failed.size} failed, ${pending.size} pending in ${seconds.toFixed(1)} s (${rate} runs/s)`,
      )
      return
    }
  }
}

/** What nobody foresaw and a run was failed for: the only cause of an invalid record that neither we nor the system threw. */
const bugIn = (error: Error): Error | undefined => {
  if (!(error instanceof ArchiverError && error.code === 'RECORD_INVALID')) return undefined
  const { cause } = error
  const isForeseen = cause instanceof ArchiverError || errnoOf(cause) !== undefined
  return cause instanceof Error && !isForeseen ? cause : undefined
}
