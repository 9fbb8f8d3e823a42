import { bytes, duration, pause } from '../quantities.ts'
import { boolean, choice, integer, list, path } from '../value-types.ts'
import { key, optional, required, section } from '../schema.ts'

export const app = section(
  'What every pass needs: where state is kept, how much is done at a time, how hard it tries.',
  {
    work_dir: key(path, '/tmp/run_record_archiver', {
      doc: 'The folder of state files, failure logs, locks and the ledger. One archiver at a time works in it.',
    }),
    import_state_file: key(path, '${work_dir}/importer_state.json', { doc: 'Progress of the import stage.' }),
    import_failure_log: key(path, '${work_dir}/import_failures.log', {
      doc: 'Runs whose import failed, one run number a line.',
    }),
    migrate_state_file: key(path, '${work_dir}/migrator_state.json', {
      doc: 'Progress of the migrate stage.',
    }),
    migrate_failure_log: key(path, '${work_dir}/migrate_failures.log', {
      doc: 'Runs whose migration failed, one run number a line.',
    }),
    lock_file: key(path, '${work_dir}/.archiver.lock', {
      doc: 'The lock that people see. Removing it asks a running archiver to stop after the runs in hand.',
    }),
    batch_size: key(integer(0), '5', {
      doc: 'Runs in an incremental pass; ten times as many in any other. 0: no limit.',
    }),
    parallel_workers: key(integer(1, 64), '2', {
      doc: 'Runs that are worked on at the same time. As many again wait for the disk; for a server none do.',
    }),
    memory_mb: key(integer(128, 1_048_576), '512', {
      doc: 'Memory (10^6 bytes) that the runs in hand may take together; the program itself takes some 100 more. Large records wait for each other.',
    }),
    run_process_retries: key(integer(0, 100), '2', { doc: 'Further attempts after the first one fails.' }),
    retry_delay_seconds: key(duration(), '3', {
      doc: 'Pause before the first further attempt; later pauses grow.',
    }),
    wait_seconds: key(pause(), '0', { doc: 'How long to wait for a lock that another archiver holds.' }),
    shutdown_grace_seconds: key(pause(1), '30', {
      doc: 'After SIGINT or SIGTERM, how long the runs in hand may take to finish.',
    }),
    on_corrupt_state: key(choice('recover', 'stop'), 'recover', {
      doc: 'A damaged state file is kept aside; then state is rebuilt from the stores (`recover`), or the pass ends (`stop`).',
    }),
    log_level: key(choice('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'), 'INFO', {
      doc: 'The least level that is logged.',
    }),
    log_each_run: optional(boolean, {
      doc: 'A line at INFO for each run that is archived. Left out: in passes of fewer than 50 runs, and with `-v`.',
    }),
    log_file: optional(path, { doc: 'A log file beside standard error. Left out or empty: none.' }),
  },
)

export const logging = section('The form of the log, and how long its files are kept.', {
  format: key(choice('human', 'json'), 'human', { doc: 'Lines for people, or one JSON object a line.' }),
  max_bytes: key(bytes, '500 MiB', { doc: 'A log file that is larger is rotated.' }),
  max_files: key(integer(1, 1000), '5', { doc: 'Rotated log files that are kept.' }),
  max_days: key(integer(1, 36_500), '14', { doc: 'Rotated log files that are older are removed.' }),
})

export const sourceFiles = section('The run records as the DAQ writes them. Nothing is ever written here.', {
  run_records_dir: required(path, { doc: 'The folder with one folder a run, named by the run number.' }),
  settle_seconds: key(duration(), '30', {
    doc: 'A record is left alone until it has been quiet for so long.',
  }),
  incomplete_after: key(duration(), '7d', {
    as: 'incompleteAfterSeconds',
    doc: 'A quiet record without a stop time is archived, marked incomplete, when it is older than this. 0: at once.',
  }),
  max_record_mb: key(integer(1, 65_536), '256', {
    doc: 'A larger record (10^6 bytes) is not read; its run fails with a clear message.',
  }),
  max_record_files: key(integer(1, 10_000_000), '20000', { doc: 'A record with more files is not read.' }),
  recheck_hours: key(integer(0, 87_600), '24', {
    doc: 'For so long after a run was archived, its record is looked at again for changes, such as a late file; only that of the last hundred. A record without a stop time is looked at for as long as it has none. 0: never.',
  }),
})

const DOCUMENTS = [
  'boot',
  'metadata',
  'known_boardreaders_list',
  'settings',
  'setup',
  'environment',
  'ranks',
  'RunHistory',
  'RunHistory2',
] as const

/** The documents that are made from text files; named with or without `.txt` or `.fcl`. */
export const fhiclizeGenerate = key(list(choice(...DOCUMENTS)), DOCUMENTS, {
  doc: 'The FHiCL documents made from the text files of a record. A list, or `files:` with a list; `.txt` and `.fcl` may follow a name.',
})

export const daemon = section('`run-archiver daemon`, which wakes up when a run appears.', {
  watch: key(choice('auto', 'native', 'poll'), 'auto', {
    doc: 'How new records are noticed: by events of the kernel, by polling (network file systems), or whichever fits.',
  }),
  poll_seconds: key(pause(0.1), '10', { doc: 'Between two looks, when polling.' }),
  scan_seconds: key(duration(1), '300', {
    doc: 'Between two passes that no event asked for: they catch what events miss.',
  }),
  retry: section('Failed runs are tried again with growing pauses, then left to people.', {
    first: key(duration(1), '5m', { as: 'firstSeconds', doc: 'Pause before the first retry.' }),
    factor: key(integer(1, 100), '2', { doc: 'Each pause is so many times as long as the one before.' }),
    max: key(duration(1), '6h', { as: 'maxSeconds', doc: 'The longest pause.' }),
    attempts: key(integer(0, 1000), '8', {
      doc: 'Retries of one run; after that it waits for a person. 0: none.',
    }),
  }),
})
