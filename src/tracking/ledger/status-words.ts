import { durationText } from '../../common/duration.ts'

/**
 * How an execution, a run or a batch stands. One internal word each; the words of older programs are derived here and nowhere else.
 * The views in the ledger are generated from these tables.
 */
export const STATES = [
  'started',
  'running',
  'done',
  'partial',
  'failed',
  'killed',
  'cancelled',
  'terminated',
  'system_reboot',
  'skipped',
  'pending',
] as const

export type State = (typeof STATES)[number]

interface Words {
  /** `tasker.executions`: `execution_status`, and our `end_reason` beside it, for what its five words cannot say. */
  readonly execution: 'STARTED' | 'RUNNING' | 'FINISHED' | 'FAILED' | 'CANCELLED'
  readonly reason: string | null
  /** `process_logs.status`. */
  readonly process: 'RUNNING' | 'COMPLETED' | 'PARTIAL' | 'FAILED' | 'KILLED' | 'TERMINATED' | 'SYSTEM_REBOOT'
  /** `file_processing_logs.status`. */
  readonly file: 'PROCESSING' | 'COMPLETED' | 'FAILED' | 'KILLED' | 'TERMINATED' | 'SYSTEM_REBOOT'
  /** `batch_processing_logs.status`. `partial` is a batch in which content was there already. */
  readonly batch: 'PROCESSING' | 'COMPLETED' | 'COMPLETED_WITH_DUPLICATES' | 'FAILED'
  /** `processing_log.status`; null has no row there, so that the run is taken again. */
  readonly item: 'processing' | 'success' | 'failed' | null
  /** `tasker.subtasks`: `subtask_status`. */
  readonly subtask: 'NOT_STARTED' | 'RUNNING' | 'COMPLETED' | 'FAILED'
}

const words = (
  execution: Words['execution'],
  reason: string | null,
  process: Words['process'],
  file: Words['file'],
  batch: Words['batch'],
  item: Words['item'],
  subtask: Words['subtask'],
): Words => ({ execution, reason, process, file, batch, item, subtask })

const WORDS: Readonly<Record<State, Words>> = {
  started: words('STARTED', null, 'RUNNING', 'PROCESSING', 'PROCESSING', 'processing', 'NOT_STARTED'),
  running: words('RUNNING', null, 'RUNNING', 'PROCESSING', 'PROCESSING', 'processing', 'RUNNING'),
  done: words('FINISHED', 'ok', 'COMPLETED', 'COMPLETED', 'COMPLETED', 'success', 'COMPLETED'),
  partial: words(
    'FINISHED',
    'partial',
    'PARTIAL',
    'COMPLETED',
    'COMPLETED_WITH_DUPLICATES',
    'success',
    'COMPLETED',
  ),
  failed: words('FAILED', 'error', 'FAILED', 'FAILED', 'FAILED', 'failed', 'FAILED'),
  killed: words('CANCELLED', 'signal', 'KILLED', 'KILLED', 'FAILED', null, 'FAILED'),
  cancelled: words('CANCELLED', 'user', 'KILLED', 'KILLED', 'FAILED', null, 'FAILED'),
  terminated: words('FAILED', 'terminated', 'TERMINATED', 'TERMINATED', 'FAILED', null, 'FAILED'),
  system_reboot: words('FAILED', 'system_reboot', 'SYSTEM_REBOOT', 'SYSTEM_REBOOT', 'FAILED', null, 'FAILED'),
  /** A run that was begun and left for a later pass: its record moved, or the destination went away. Never an execution. */
  pending: words('FAILED', 'pending', 'FAILED', 'FAILED', 'FAILED', null, 'FAILED'),
  /** An execution that found nothing to do. Never a run. */
  skipped: words('FINISHED', 'skipped', 'COMPLETED', 'COMPLETED', 'COMPLETED', null, 'COMPLETED'),
}

/** A state in the words of every older program. */
export const wordsOf = (state: State): Words => WORDS[state]

/** The state behind the pair of columns of `tasker.executions`. Other programs write only the first; their end then counts by that alone. */
export const stateOf = (execution: string, reason: string | null): State => {
  const exact = STATES.find((state) => WORDS[state].execution === execution && WORDS[state].reason === reason)
  return exact ?? STATES.find((state) => WORDS[state].execution === execution) ?? 'failed'
}

/**
 * The states behind a word of `process_logs`, for `history --status`; the words of `tasker.executions`, and our own, count where `process_logs` has no such
 * word: FAILED is not TERMINATED there. Undefined for a word that is none.
 */
export const statesOf = (word: string): readonly State[] | undefined => {
  const wanted = word.toUpperCase()
  const meant = [
    STATES.filter((state) => WORDS[state].process === wanted),
    STATES.filter((state) => WORDS[state].execution === wanted || state === word),
  ]
  return meant.find((states) => states.length > 0)
}

/** What the ledger says of an execution that has no end. Times in epoch milliseconds; a program that is not ours may not know all of it. */
export interface OpenExecution {
  readonly host: string
  readonly pid: number
  readonly bootId: string | null
  readonly startTicks: number | null
  readonly startedAt: number
  readonly heartbeatAt: number | null
}

/** What this host knows now. */
export interface HostFacts {
  readonly host: string
  readonly bootId: string
  /** Epoch milliseconds; 0 where it is not known. */
  readonly bootTime: number
  /** The start ticks of whichever process has the execution's pid now; undefined: none has, or it is hidden. */
  readonly startTicks: number | undefined
  /** Whether processes of other users can be seen; where /proc hides them, one that is not seen may live. */
  readonly seesOthers: boolean
  readonly now: number
  /** Milliseconds without a heartbeat after which an execution of this host counts as dead where it could not be seen. */
  readonly quiet: number
  /** Milliseconds without a heartbeat after which an execution of another host counts as dead. */
  readonly silence: number
}

export type Verdict =
  | { readonly verdict: 'alive' | 'elsewhere' }
  | { readonly verdict: 'system_reboot' | 'terminated'; readonly reason: string }

/** Boot time is computed from two clocks and moves by a second or so between two readings. */
const BOOT_TIME_SLACK = 2000

/**
 * What became of an execution that never wrote its own end:
 * a machine that was booted since, or a process that is gone, or whose pid somebody else has now. What other hosts do
 * cannot be seen from here: they are left alone until their heartbeat has been silent for too long.
 */
export const judge = (execution: OpenExecution, facts: HostFacts): Verdict => {
  if (execution.host !== facts.host) {
    // Without any heartbeat it counts from its start: else one that died at once would be open for ever.
    // A heartbeat from the future, which a clock that was set back leaves, is no sign of life either.
    const silent = Math.abs(facts.now - (execution.heartbeatAt ?? execution.startedAt))
    if (silent <= facts.silence) return { verdict: 'elsewhere' }
    return {
      verdict: 'terminated',
      reason: `no heartbeat from ${execution.host} for ${durationText(Math.round(silent / 1000))}`,
    }
  }
  const bootsKnown = Boolean(execution.bootId) && facts.bootId !== ''
  if (bootsKnown && execution.bootId !== facts.bootId)
    return { verdict: 'system_reboot', reason: 'System was rebooted while the process was running' }
  // With equal boot ids only the clock was set back; without them the clock is all there is.
  if (!bootsKnown && execution.startedAt < facts.bootTime - BOOT_TIME_SLACK)
    return { verdict: 'system_reboot', reason: 'System was rebooted after the process had started' }
  if (facts.startTicks === undefined) {
    const heard = Math.abs(facts.now - (execution.heartbeatAt ?? execution.startedAt)) <= facts.quiet
    if (!facts.seesOthers && heard) return { verdict: 'alive' }
    return {
      verdict: 'terminated',
      reason: `Process ${execution.pid} disappeared (killed, crash or power cut)`,
    }
  }
  if (execution.startTicks !== null && execution.startTicks !== facts.startTicks)
    return {
      verdict: 'terminated',
      reason: `Process ${execution.pid} is gone; another process has its pid now`,
    }
  return { verdict: 'alive' }
}

/** How an execution ended, from what it did. `stopped` is a signal's name. */
export const endState = (end: {
  readonly failed: number
  readonly succeeded: number
  readonly error: boolean
  readonly stopped: string | undefined
}): State => {
  if (end.stopped !== undefined) return 'killed'
  if (end.error) return 'failed'
  return end.failed > 0 ? 'partial' : 'done'
}
