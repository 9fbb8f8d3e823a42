import { reporting } from './report.ts'
import type { TrackOptions } from './tracking-settings.ts'

interface ForRun extends TrackOptions {
  readonly runId?: string
}

interface StatusFlags extends ForRun {
  readonly status?: string
  readonly subState?: string
  readonly currentSubtask?: string
  readonly totalSubtasks?: string
  readonly subtaskName?: string
  readonly subtaskStatus?: string
  readonly overallPercent?: string
  readonly overallMessage?: string
  readonly subtaskPercent?: string
  readonly subtaskMessage?: string
  readonly itemsTotal?: string
  readonly itemsComplete?: string
}

/** `track status`: sets what its flags name. */
export const trackStatus = reporting<StatusFlags>((flags) => ({
  op: 'status',
  status: flags.status,
  sub_state: flags.subState,
  current_subtask: flags.currentSubtask,
  total_subtasks: flags.totalSubtasks,
  subtask_name: flags.subtaskName,
  subtask_status: flags.subtaskStatus,
  overall_percent: flags.overallPercent,
  overall_message: flags.overallMessage,
  subtask_percent: flags.subtaskPercent,
  subtask_message: flags.subtaskMessage,
  subtask_items_total: flags.itemsTotal,
  subtask_items_complete: flags.itemsComplete,
}))

/** `track enter`: a step begins, inside the one that is open. */
export const trackEnter = reporting<ForRun & { readonly message: string }>(({ message }) => ({
  op: 'enter',
  message,
}))

/** `track exit`: the innermost open step is completed. */
export const trackExit = reporting<ForRun & { readonly failed?: boolean }>(({ failed }) => ({
  op: 'exit',
  subtask_status: failed ? 'FAILED' : undefined,
}))

/** `track message`: a word about the step in hand. */
export const trackMessage = reporting<ForRun & { readonly message: string }>(({ message }) => ({
  op: 'message',
  message,
}))

interface ProgressFlags extends ForRun {
  readonly complete?: string
  readonly total?: string
  readonly add?: string
  readonly message?: string
}

/** `track progress`: items of the step in hand, as a number or, with --add, so many more. */
export const trackProgress = reporting<ProgressFlags>(({ complete, total, add, message }) =>
  add === undefined
    ? { op: 'progress', items_complete: complete, items_total: total, message }
    : { op: 'add', items: add, items_total: total, message },
)

/** `track finish`: FINISHED. */
export const trackFinish = reporting<ForRun & { readonly message?: string; readonly failed?: string }>(
  ({ message = 'Script completed successfully', failed }) => ({ op: 'finish', message, failed }),
)

/** `track error`: FAILED. */
export const trackError = reporting<ForRun & { readonly message: string; readonly detail?: string }>(
  ({ message, detail }) => ({ op: 'error', message, detail }),
)
