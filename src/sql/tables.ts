import type { DialectName } from './ledger-url.ts'

/** What a column holds, whatever the engine calls it. */
export type ColumnType =
  'id' | 'uuid' | 'word' | 'name' | 'path' | 'text' | 'int' | 'big' | 'percent' | 'real' | 'time' | 'json'

/** Times are `YYYY-MM-DD HH:MM:SS.mmm` in UTC on the way in (sql/times.ts); `json` is text on our side everywhere. */
const TYPES: Readonly<Record<ColumnType, Readonly<Record<DialectName, string>>>> = {
  id: {
    sqlite: 'INTEGER PRIMARY KEY AUTOINCREMENT',
    postgres: 'BIGSERIAL PRIMARY KEY',
    mysql: 'BIGINT AUTO_INCREMENT PRIMARY KEY',
  },
  uuid: { sqlite: 'TEXT', postgres: 'UUID', mysql: 'CHAR(36)' },
  word: { sqlite: 'TEXT', postgres: 'VARCHAR(50)', mysql: 'VARCHAR(50)' },
  name: { sqlite: 'TEXT', postgres: 'VARCHAR(255)', mysql: 'VARCHAR(255)' },
  path: { sqlite: 'TEXT', postgres: 'TEXT', mysql: 'TEXT' },
  text: { sqlite: 'TEXT', postgres: 'TEXT', mysql: 'TEXT' },
  int: { sqlite: 'INTEGER', postgres: 'INTEGER', mysql: 'INT' },
  big: { sqlite: 'INTEGER', postgres: 'BIGINT', mysql: 'BIGINT' },
  // Wider than the seed's NUMERIC(5,2): sixteen busy threads are 1600 % of a processor.
  percent: { sqlite: 'REAL', postgres: 'NUMERIC(8,2)', mysql: 'DECIMAL(8,2)' },
  real: { sqlite: 'REAL', postgres: 'DOUBLE PRECISION', mysql: 'DOUBLE' },
  // MySQL's TIMESTAMP, unlike its DATETIME, is the same moment to every session, so the seeds' NOW() compares rightly.
  time: { sqlite: 'TEXT', postgres: 'TIMESTAMPTZ', mysql: 'TIMESTAMP(3)' },
  json: { sqlite: 'TEXT', postgres: 'JSONB', mysql: 'LONGTEXT' },
}

export interface Table {
  readonly columns: Readonly<Record<string, ColumnType>>
  /** Columns that are never null. */
  readonly needed: readonly string[]
  /** The natural key: two writes of one key are one row. */
  readonly key: readonly string[]
  readonly checks?: readonly string[]
  readonly indexes?: Readonly<Record<string, string>>
  /** Columns with a default that the database gives. */
  readonly defaults?: Readonly<Record<string, string>>
}

/** The tables of version 1. A later version adds to them in its own migration; this stays as it is. */
export const TABLES = {
  executions: {
    columns: {
      execution_id: 'id',
      run_id: 'uuid',
      task_name: 'name',
      task_stage: 'word',
      task_type: 'word',
      hostname: 'name',
      process_id: 'int',
      user_name: 'name',
      script_path: 'path',
      script_file: 'name',
      log_path: 'path',
      log_file: 'name',
      execution_start: 'time',
      execution_end: 'time',
      last_update: 'time',
      execution_status: 'word',
      total_subtasks: 'int',
      current_subtask: 'int',
      subtask_name: 'text',
      subtask_status: 'word',
      overall_percent_complete: 'percent',
      overall_progress_message: 'text',
      subtask_percent_complete: 'percent',
      subtask_progress_message: 'text',
      subtask_items_total: 'big',
      subtask_items_complete: 'big',
      memory_mb: 'int',
      cpu_percent: 'percent',
      error_message: 'text',
      error_detail: 'text',
      git_commit: 'word',
      environment: 'json',
      // Beyond seed 004's columns.
      end_reason: 'word',
      sub_state: 'word',
      parent_run_id: 'uuid',
      instance_id: 'name',
      boot_id: 'word',
      process_start_ticks: 'big',
      heartbeat_at: 'time',
      progress_at: 'time',
      eta_at: 'time',
      eta_low: 'time',
      eta_high: 'time',
      exit_code: 'int',
      invocation_id: 'word',
      version: 'word',
      cancel_requested_at: 'time',
      counts: 'json',
      mode: 'name',
      subject: 'name',
      argv: 'text',
      items_total: 'big',
      items_attempted: 'big',
      items_failed: 'big',
      bytes: 'big',
      documents: 'big',
      current_run: 'big',
      current_batch: 'int',
      peak_memory_mb: 'int',
      revision: 'big',
    },
    needed: [
      'run_id',
      'task_name',
      'hostname',
      'process_id',
      'execution_start',
      'last_update',
      'execution_status',
      'revision',
    ],
    key: ['run_id'],
    checks: [
      "CONSTRAINT chk_status CHECK (execution_status IN ('STARTED', 'RUNNING', 'FINISHED', 'FAILED', 'CANCELLED'))",
      "CONSTRAINT chk_subtask_status CHECK (subtask_status IS NULL OR subtask_status IN ('NOT_STARTED', 'RUNNING', 'COMPLETED', 'FAILED'))",
    ],
    defaults: { last_update: 'now', revision: '0' },
    indexes: {
      idx_executions_task_name: 'task_name, execution_start',
      idx_executions_status: 'execution_status',
      idx_executions_start: 'execution_start',
      idx_executions_host_pid: 'hostname, process_id',
    },
  },
  subtasks: {
    columns: {
      subtask_id: 'id',
      run_id: 'uuid',
      seq: 'int',
      name: 'text',
      state: 'word',
      started_at: 'time',
      ended_at: 'time',
      updated_at: 'time',
      items_total: 'big',
      items_complete: 'big',
      items_failed: 'big',
      percent: 'percent',
      message: 'text',
      error_message: 'text',
      depth: 'int',
      parent_seq: 'int',
      revision: 'big',
    },
    needed: ['run_id', 'seq', 'name', 'state', 'revision'],
    key: ['run_id', 'seq'],
  },
  files: {
    columns: {
      file_id: 'id',
      run_id: 'uuid',
      stage: 'word',
      run: 'big',
      file_name: 'name',
      state: 'word',
      result: 'word',
      file_size: 'big',
      documents: 'big',
      records_processed: 'big',
      attempts: 'int',
      total_batches: 'int',
      processed_batches: 'int',
      last_processed_batch: 'int',
      started_at: 'time',
      ended_at: 'time',
      updated_at: 'time',
      duration_ms: 'big',
      error_code: 'word',
      error_message: 'text',
      revision: 'big',
    },
    needed: ['run_id', 'stage', 'file_name', 'state', 'started_at', 'revision'],
    key: ['run_id', 'stage', 'file_name'],
    indexes: { idx_files_run: 'run, file_id', idx_files_state: 'state' },
  },
  batches: {
    columns: {
      batch_id: 'id',
      run_id: 'uuid',
      stage: 'word',
      file_name: 'name',
      batch_number: 'int',
      state: 'word',
      first_id: 'name',
      last_id: 'name',
      items: 'text',
      requested: 'big',
      succeeded: 'big',
      present: 'big',
      failed: 'big',
      conflicts: 'big',
      started_at: 'time',
      ended_at: 'time',
      updated_at: 'time',
      duration_ms: 'big',
      error_message: 'text',
      revision: 'big',
    },
    needed: ['run_id', 'stage', 'file_name', 'batch_number', 'state', 'started_at', 'revision'],
    key: ['run_id', 'file_name', 'batch_number'],
  },
  events: {
    columns: { event_id: 'id', run_id: 'uuid', seq: 'big', at: 'time', kind: 'word', detail: 'json' },
    needed: ['run_id', 'seq', 'at', 'kind'],
    key: ['run_id', 'seq'],
    indexes: { idx_events_kind: 'kind, at' },
  },
  process_metrics: {
    columns: {
      metric_id: 'id',
      run_id: 'uuid',
      at: 'time',
      cpu_percent: 'percent',
      memory_mb: 'int',
      peak_memory_mb: 'int',
      read_bytes: 'big',
      write_bytes: 'big',
    },
    needed: ['run_id', 'at'],
    key: ['run_id', 'at'],
  },
  daily_stats: {
    columns: {
      stat_id: 'id',
      task_name: 'name',
      day: 'word',
      executions: 'int',
      ok: 'int',
      partly: 'int',
      failed: 'int',
      killed: 'int',
      reboots: 'int',
      ended_unseen: 'int',
      items: 'big',
      items_failed: 'big',
      bytes: 'big',
      seconds: 'real',
      min_seconds: 'real',
      max_seconds: 'real',
      p50_seconds: 'real',
      p95_seconds: 'real',
    },
    needed: ['task_name', 'day'],
    key: ['task_name', 'day'],
  },
  idle_passes: {
    columns: { idle_id: 'id', hostname: 'name', place: 'word', day: 'word', passes: 'int', last_at: 'time' },
    needed: ['hostname', 'place', 'day', 'passes'],
    key: ['hostname', 'place', 'day'],
  },
} as const satisfies Record<string, Table>

export type TableName = keyof typeof TABLES

const NOW: Readonly<Record<DialectName, string>> = {
  sqlite: "(strftime('%Y-%m-%d %H:%M:%f', 'now'))",
  postgres: 'now()',
  mysql: 'CURRENT_TIMESTAMP(3)',
}

/** `CREATE TABLE` and its indexes. Each may be run again: what is there stays. `schema` qualifies names on PostgreSQL. */
export const createStatements = (dialect: DialectName, schema: string | undefined): string[] =>
  Object.entries<Table>(TABLES).flatMap(([name, table]) => {
    const place = qualified(schema, name)
    const columns = Object.entries(table.columns).map(([column, type]) =>
      [column, TYPES[type][dialect], nullness(table, column, type, dialect)].filter(Boolean).join(' '),
    )
    const constraints = [`CONSTRAINT uq_${name} UNIQUE (${table.key.join(', ')})`, ...(table.checks ?? [])]
    const tail = dialect === 'mysql' ? ' ENGINE=InnoDB DEFAULT CHARSET=utf8mb4' : ''
    // MySQL has no CREATE INDEX IF NOT EXISTS, so its indexes stand inside the table.
    const inside =
      dialect === 'mysql'
        ? Object.entries(table.indexes ?? {}).map(([index, over]) => `INDEX ${index} (${over})`)
        : []
    const create = `CREATE TABLE IF NOT EXISTS ${place} (\n  ${[...columns, ...constraints, ...inside].join(',\n  ')}\n)${tail}`
    if (dialect === 'mysql') return [create]
    const indexes = Object.entries(table.indexes ?? {}).map(
      ([index, over]) => `CREATE INDEX IF NOT EXISTS ${index} ON ${place} (${over})`,
    )
    return [create, ...indexes]
  })

/** A table's or view's name as it stands in SQL. Names are ours or checked (`schemaName`), so they need no quoting. */
export const qualified = (schema: string | undefined, name: string): string =>
  schema === undefined ? name : `${schema}.${name}`

const nullness = (table: Table, column: string, type: ColumnType, dialect: DialectName): string => {
  if (type === 'id') return ''
  const fallback = table.defaults?.[column]
  const value = fallback === 'now' ? NOW[dialect] : fallback
  const needed = table.needed.includes(column)
  // MariaDB gives the first TIMESTAMP without a word about null an automatic update.
  if (dialect === 'mysql' && type === 'time' && value === undefined)
    return needed ? "NOT NULL DEFAULT '2000-01-01 00:00:00'" : 'NULL DEFAULT NULL'
  return `${needed ? 'NOT NULL' : ''}${value === undefined ? '' : ` DEFAULT ${value}`}`.trim()
}
