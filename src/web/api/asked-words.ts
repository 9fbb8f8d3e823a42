/** How executions may be asked for: in the words of the page. */
export const ASKED_STANDINGS = [
  'running',
  'hung',
  'throttled',
  'ok',
  'partial',
  'failed',
  'killed',
  'terminated',
  'reboot',
  'pending',
  'skipped',
  'bad',
] as const

/** The same in the words of `execution_status` and of `process_logs`. */
export const ASKED_STATUSES = [
  'STARTED',
  'RUNNING',
  'FINISHED',
  'FAILED',
  'CANCELLED',
  'COMPLETED',
  'PARTIAL',
  'KILLED',
  'TERMINATED',
  'SYSTEM_REBOOT',
] as const
