import type { ColumnType, Table } from '../table-types.ts'
import { TABLES_1 } from './tables-1.ts'

const { execution_id: _id, ...EXECUTION_COLUMNS } = TABLES_1.executions.columns

/** Columns that version 2 adds to tables of version 1. */
export const COLUMNS_2 = {
  executions: { eta_basis: 'word' },
  process_metrics: {
    net_rx_bytes: 'big',
    net_tx_bytes: 'big',
    db_connections: 'int',
    rows_processed: 'big',
    open_files: 'int',
    threads: 'int',
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, ColumnType>>>>

/** The tables of version 2: what is expected of tasks, where failures gather, alerts, and executions that were archived. */
export const TABLES_2 = {
  stages: {
    columns: { stage_id: 'id', stage_name: 'name', stage_order: 'int', description: 'text' },
    needed: ['stage_name'],
    key: ['stage_name'],
  },
  tasks: {
    columns: {
      task_id: 'id',
      task_name: 'name',
      task_stage: 'word',
      task_type: 'word',
      description: 'text',
      total_subtasks: 'int',
      expected_duration_minutes: 'real',
      /** Minutes between two starts, or `HH:MM` of each day in UTC. */
      schedule: 'word',
      grace_minutes: 'real',
      enabled: 'int',
      task_order: 'int',
      /** A JSON array of task names. */
      depends_on: 'json',
    },
    needed: ['task_name', 'enabled'],
    key: ['task_name'],
    defaults: { enabled: '1' },
  },
  daily_failures: {
    columns: {
      failure_id: 'id',
      task_name: 'name',
      day: 'word',
      /** The message without its numbers, paths and names: what failures have in common. */
      message_class: 'name',
      failures: 'int',
      first_at: 'time',
      last_at: 'time',
      last_run_id: 'uuid',
      example: 'text',
    },
    needed: ['task_name', 'day', 'message_class', 'failures'],
    key: ['task_name', 'day', 'message_class'],
    indexes: { idx_daily_failures_day: 'day' },
  },
  alerts: {
    columns: {
      alert_id: 'id',
      rule: 'word',
      /** What it is about: a task, a run id, a stage. */
      subject: 'name',
      severity: 'word',
      title: 'text',
      detail: 'text',
      fired_at: 'time',
      seen_at: 'time',
      /** When a channel took the message; null while none did. */
      sent_at: 'time',
      resolved_at: 'time',
      resolution_sent_at: 'time',
    },
    needed: ['rule', 'subject', 'fired_at'],
    key: ['rule', 'subject', 'fired_at'],
    indexes: { idx_alerts_resolved: 'resolved_at' },
  },
  silences: {
    columns: {
      silence_id: 'id',
      /** `*` stands for all. */
      rule: 'word',
      subject: 'name',
      until_at: 'time',
      created_at: 'time',
      created_by: 'name',
      reason: 'text',
    },
    needed: ['rule', 'subject', 'until_at', 'created_at'],
    key: ['rule', 'subject'],
  },
  executions_history: {
    columns: { execution_id: 'big', ...EXECUTION_COLUMNS, eta_basis: 'word' },
    needed: ['execution_id', ...TABLES_1.executions.needed],
    key: ['execution_id', 'execution_start'],
    indexes: {
      idx_executions_history_run_id: 'run_id',
      idx_executions_history_task: 'task_name, execution_start',
    },
    partitionBy: 'execution_start',
  },
} as const satisfies Record<string, Table>
