/** Every family of metrics, in the order of the page: its type and its help text. */
export const FAMILIES = {
  last_start_timestamp_seconds: ['gauge', 'When the last pass began.'],
  last_end_timestamp_seconds: ['gauge', 'When the last pass ended.'],
  last_success_timestamp_seconds: ['gauge', 'When a pass last ended with exit code 0.'],
  last_duration_seconds: ['gauge', 'How long the last pass took.'],
  last_exit_code: ['gauge', 'The exit code of the last pass.'],
  stage_last_success_timestamp_seconds: [
    'gauge',
    'When a pass of the stage last ended without a failed run.',
  ],
  stage_last_duration_seconds: ['gauge', 'How long the last pass of the stage took.'],
  stage_last_rate_runs_per_second: ['gauge', 'Runs attempted a second in the last pass of the stage.'],
  runs_total: ['counter', 'Runs attempted.'],
  bytes_total: ['counter', 'Bytes archived.'],
  run_duration_seconds: ['histogram', 'How long a run took.'],
  last_contiguous_run: ['gauge', 'The end of the unbroken series from the lowest run archived.'],
  last_attempted_run: ['gauge', 'The highest run attempted.'],
  source_highest_run: ['gauge', 'The highest run on the source.'],
  backlog_runs: ['gauge', 'Runs neither archived nor failed.'],
  failed_runs: ['gauge', 'Runs in the failure log.'],
  oldest_pending_seconds: ['gauge', 'How long the oldest pending run has waited.'],
  rows_total: ['counter', 'Rows of tables, by what became of them.'],
  row_conflicts: ['gauge', 'Conflicts that no one has resolved, of the files of the last execution.'],
  throttled_seconds_total: ['counter', 'How long batches of rows were held back, by the reason.'],
  replica_lag_seconds: [
    'gauge',
    'Lag of a replica when batches last asked; NaN: the replica did not answer.',
  ],
  history_list_length: [
    'gauge',
    'History list of MySQL, or age of the oldest transaction of PostgreSQL, before the last batch.',
  ],
  records_total: ['counter', 'Payloads of records, by what became of them.'],
  record_rows_total: ['counter', 'Rows that payloads became.'],
  instances: ['gauge', 'Workers of the shared backlog, by state.'],
  claims: ['gauge', 'Items of the shared backlog, by state.'],
  claims_total: ['counter', 'Items that workers of the shared backlog were given.'],
  claims_fenced_total: ['counter', 'Results that were refused because another worker had the item.'],
  claims_recovered_total: ['counter', 'Items that were taken over from workers that died.'],
  backlog_rate_items_per_second: [
    'gauge',
    'Items that all workers of the shared backlog ended in the last minute.',
  ],
  tracking_failures_total: ['counter', 'Times the ledger could not be written.'],
  tracking_spool_bytes: ['gauge', 'Bytes that wait to be written to the ledger.'],
  peak_memory_bytes: ['gauge', 'The most memory that the process of the last pass held.'],
  open_descriptors: ['gauge', 'Files and sockets that the process of the last pass held open at its end.'],
  build_info: ['gauge', 'The version, as a label.'],
} as const satisfies Record<string, readonly [type: 'gauge' | 'counter' | 'histogram', help: string]>

/** A name of a metric, without `archiver_`. */
export type Family = keyof typeof FAMILIES
