import { qualified } from './table-types.ts'
import type { DialectName } from '../../sql/database-url.ts'
import { displayStatusSql } from './display-status.ts'
import { EXECUTION_COLUMNS } from './view-columns.ts'
import { asText } from './views.ts'

/** Views beside the tables, for people and dashboards that read the database. */
export const OWN_VIEWS = [
  'current_status',
  'monitoring_view',
  'pipeline_status_history',
  'instances',
] as const

export type OwnViewName = (typeof OWN_VIEWS)[number]

/** The query of each view. `schema` is where the tables are on PostgreSQL. */
export const ownViewQuery = (name: OwnViewName, dialect: DialectName, schema: string | undefined): string =>
  QUERIES[name](
    (table) => qualified(schema, table),
    (c, t) => asText(displayStatusSql(dialect, schema, c, t), dialect),
  )

const COLUMNS = [
  ...EXECUTION_COLUMNS,
  'end_reason',
  'heartbeat_at',
  'progress_at',
  'eta_at',
  'eta_low',
  'eta_high',
  'eta_basis',
  'exit_code',
]

type TableOf = (name: string) => string
/** The one word of a task, from its newest execution and what is registered. */
type WordOf = (execution: string, registered?: string) => string

/** The number of the newest execution of a task: one look into the index by task and start, however many there are. */
const newestOf = (table: TableOf, task: string): string =>
  `(SELECT l.execution_id FROM ${table('executions')} l WHERE l.task_name = ${task}
  ORDER BY l.execution_start DESC, l.execution_id DESC LIMIT 1)`

/** The newest execution of each task. From one name to the next in the index: a window over all executions took seconds at 500,000. */
const current = (table: TableOf, more: readonly string[] = []): string => `
SELECT ${[...COLUMNS, ...more].map((column) => `e.${column}`).join(', ')} FROM (
  WITH RECURSIVE names(task_name) AS (
    SELECT MIN(f.task_name) FROM ${table('executions')} f
    UNION ALL
    SELECT (SELECT MIN(f.task_name) FROM ${table('executions')} f WHERE f.task_name > names.task_name)
    FROM names WHERE names.task_name IS NOT NULL
  ) SELECT task_name FROM names WHERE task_name IS NOT NULL
) n JOIN ${table('executions')} e ON e.execution_id = ${newestOf(table, 'n.task_name')}`

/** What the word of a task follows from, beside the columns of every view. */
const SIGNS = ['sub_state', 'items_attempted', 'heartbeat_seconds']

const QUERIES: Readonly<Record<OwnViewName, (table: TableOf, word: WordOf) => string>> = {
  current_status: (table) => current(table),

  // Registered tasks with their newest execution, then tasks that nobody registered.
  monitoring_view: (table, word) => `
SELECT t.task_name AS task_name, COALESCE(c.task_stage, t.task_stage) AS task_stage, s.stage_order AS stage_order,
  t.task_order AS task_order, t.schedule AS schedule, t.grace_minutes AS grace_minutes,
  t.expected_duration_minutes AS expected_duration_minutes, c.run_id AS run_id, c.hostname AS hostname,
  c.execution_start AS execution_start, c.execution_end AS execution_end, c.execution_status AS execution_status,
  c.end_reason AS end_reason, ${word('c', 't')} AS display_status,
  c.overall_percent_complete AS overall_percent_complete, c.subtask_name AS subtask_name, c.eta_at AS eta_at,
  c.error_message AS error_message
FROM ${table('tasks')} t
LEFT JOIN ${table('executions')} c ON c.execution_id = ${newestOf(table, 't.task_name')}
LEFT JOIN ${table('stages')} s ON s.stage_name = COALESCE(c.task_stage, t.task_stage)
WHERE t.enabled = 1
UNION ALL
SELECT c.task_name, c.task_stage, s.stage_order, NULL, NULL, NULL, NULL, c.run_id, c.hostname, c.execution_start,
  c.execution_end, c.execution_status, c.end_reason, ${word('c')}, c.overall_percent_complete, c.subtask_name,
  c.eta_at, c.error_message
FROM (${current(table, SIGNS)}) c
LEFT JOIN ${table('stages')} s ON s.stage_name = c.task_stage
WHERE NOT EXISTS (SELECT 1 FROM ${table('tasks')} t WHERE t.task_name = c.task_name)`,

  // Workers of a shared backlog: one execution is one instance.
  instances: (table) => `
SELECT instance_id, task_name, hostname, process_id, execution_status, end_reason, execution_start, execution_end, heartbeat_at,
  claims, claims_fenced, claims_recovered, items_attempted, items_failed, run_id
FROM ${table('executions')} WHERE instance_id IS NOT NULL`,

  pipeline_status_history: (table) => `SELECT ${COLUMNS.join(', ')} FROM ${table('executions_history')}`,
}
