import type { RuleName } from './watch-rules.ts'

/** When each rule fires, in a few words. */
export const THRESHOLDS = {
  failed: 'the newest execution of a task failed',
  partial: 'the newest execution of a task ended with failed items',
  duration: 'longer than p95 × 1.5, or than expected × 2',
  hung: 'no progress for 10 min, or for 5 items',
  lost: 'no heartbeat for 45 s',
  late: 'schedule and grace have passed',
  kills: '3 in 24 h',
  reboot: 'any in 24 h',
  terminated: 'any in 24 h',
  conflicts: 'any in 24 h',
  throttled: 'held back for 15 min',
  lag_unknown: 'held back because no replica says its lag',
  failure_log: 'more than 50 runs',
  gap: 'older than 24 h',
  backlog_growing: '3 passes in a row left more',
  distance: 'more than 1000 runs',
  damaged: 'the scrub found a damaged copy',
  disk: 'less than 10 % free',
  log_size: 'more than 1 GiB',
  instance_lost: 'a worker without a sign of life, in 24 h',
  fenced: 'a refused result, in 24 h',
  poison: 'an item that kills its workers',
} as const satisfies Record<RuleName, string>
