import type { Command } from '../../app/context.ts'
import type { Log } from '../../common/log.ts'
import { messageOf } from '../../errors.ts'
import { identity, startTicks } from '../../platform/host.ts'
import { boundedLines } from '../../platform/input.ts'
import type { Execution } from '../../tracking/client/execution.ts'
import { readOperation, textIn } from '../../tracking/client/operations.ts'
import { initFields } from '../../tracking/client/run-facts.ts'
import { Tracker } from '../../tracking/client/tracker.ts'
import { isUuid } from '../../tracking/client/tracked-rows.ts'
import { trackSettings, type TrackOptions } from './tracking-settings.ts'

/**
 * `track pipe`: JSON lines on standard input, one operation each; `init` begins an execution, and later lines without a `run_id` mean the
 * last one. Lines are read as fast as they come and the database is written beside, so the writer never waits. When the input ends, an
 * execution without an end was left by a process that died, and is closed as that. The exit code is 0 whatever happens.
 */
export const trackPipe: Command<TrackOptions> = async (options, context) => {
  const settings = await trackSettings(options, context)
  const { log } = settings
  const runner = identity()
  let tracker: Tracker
  try {
    // A pipe that is only waiting must not look alive for a process that is gone: the heartbeat ends with the input.
    tracker = new Tracker({ ...settings, env: context.env, runner })
  } catch (error) {
    log.warn(messageOf(error))
    await readAll(() => undefined, log) // to its end, so that the writer never waits
    return 0
  }
  let last: Execution | undefined
  const warned = new Set<string>()
  const warn = (problem: string): void => {
    if (warned.has(problem) || warned.size > 20) return
    warned.add(problem)
    log.warn(problem)
  }
  const take = (line: string): void => {
    if (line.trim() === '') return
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      warn(`not a JSON line: ${line.slice(0, 80)}`)
      return
    }
    const { operation, problems, old } = readOperation(value)
    for (const problem of problems) warn(problem)
    for (const name of old) warn(`old name: ${name}`)
    if (!operation) return
    const runId = typeof operation['run_id'] === 'string' ? operation['run_id'].toLowerCase() : undefined
    if (operation.op === 'init') {
      const pid = typeof operation['process_id'] === 'number' ? operation['process_id'] : process.ppid
      const seen = initFields(
        { taskName: textIn(operation, 'task_name') ?? 'unknown', type: 'sh' },
        { ...runner, pid, startTicks: startTicks(pid) },
        { ...settings, env: context.env },
      )
      const given = Object.fromEntries(Object.entries(operation).filter(([, field]) => field != null))
      last = tracker.begin(
        { ...seen, ...given, op: 'init' },
        runId !== undefined && isUuid(runId) ? runId : undefined,
      )
      return
    }
    const execution = runId === undefined ? last : tracker.find(runId)
    if (execution) execution.report(operation)
    else warn('a line before any "init", or for another execution')
  }
  await readAll((line) => {
    if (line === undefined) warn(`a line of more than ${LONGEST_LINE / 1e6} MB is left out`)
    else take(line)
  }, log)
  for (const execution of tracker.open) {
    const { process_id: pid } = execution.tracked.facts
    const message = `Process ${String(pid)} died without recording its end`
    execution.report({ op: 'error', message, reason: 'terminated' })
  }
  await tracker.close(2000)
  return 0
}

/** Bytes. No operation is as long; what is goes by, and the writer does not wait. */
const LONGEST_LINE = 1_000_000

/** Reads standard input to its end. */
const readAll = async (take: (line: string | undefined) => void, log: Log): Promise<void> => {
  try {
    for await (const line of boundedLines(process.stdin as AsyncIterable<Buffer>, LONGEST_LINE)) take(line)
  } catch (error) {
    log.warn(`standard input: ${messageOf(error)}`)
  }
}
