/** A ledger of many executions, for the benchmarks of what reads it. */
const TASKS = 60
export const DAYS = 400

/** What differs between the two engines. `i` counts from 1; the newest execution is a minute old. */
export interface Words {
  readonly numbers: (count: number) => string
  /** A time so many seconds before now. */
  readonly ago: (seconds: string) => string
  readonly uuid: (i: string) => string
  readonly day: (time: string) => string
  readonly table: (name: string) => string
}

export const SQLITE: Words = {
  numbers: (count) =>
    `(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) SELECT i FROM n) AS n`,
  ago: (seconds) => `strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || (${seconds}) || ' seconds')`,
  uuid: (i) => `printf('00000000-0000-4000-8000-%012x', ${i})`,
  day: (time) => `substr(${time}, 1, 10)`,
  table: (name) => name,
}
export const POSTGRES: Words = {
  numbers: (count) => `generate_series(1, ${count}) AS n(i)`,
  ago: (seconds) => `(now() - (${seconds}) * interval '1 second')`,
  uuid: (i) => `('00000000-0000-4000-8000-' || lpad(to_hex(${i}), 12, '0'))::uuid`,
  day: (time) => `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD')`,
  table: (name) => `tasker.${name}`,
}

/** Statements that fill an empty ledger with `count` executions of 60 tasks in 400 days. */
export const statements = ({ numbers, ago, uuid, day, table }: Words, count: number): string[] => {
  const step = (DAYS * 86_400) / count
  const start = `(${count} - i) * ${step} + 60 + 700`
  const took = `(30 + ((i % 10007) * 7919) % 600)`
  const open = `i > ${count} - 12`
  const at = (word: string, seconds: string): string =>
    `CASE WHEN ${open} THEN ${word} ELSE ${ago(seconds)} END`
  return [
    `INSERT INTO ${table('executions')} (run_id, task_name, task_stage, task_type, hostname, process_id, user_name, execution_start, execution_end,
       last_update, heartbeat_at, progress_at, execution_status, end_reason, exit_code, overall_percent_complete, overall_progress_message, error_message, error_detail,
       environment, counts, total_subtasks, current_subtask, subtask_name, subtask_status, items_attempted, items_failed, revision)
     SELECT ${uuid('i')}, 'TASK_' || (i % ${TASKS}), CASE i % 3 WHEN 0 THEN 'DAILY' WHEN 1 THEN 'STATIC' ELSE 'ARCHIVE' END, 'sh', 'host' || (i % 7), 1000 + i % 30000, 'pipeline',
       ${ago(start)}, ${at('NULL', `${start} - ${took}`)}, ${at(ago('5'), `${start} - ${took}`)}, ${at(ago('5'), `${start} - ${took}`)}, ${at(ago('5'), `${start} - ${took}`)},
       CASE WHEN ${open} THEN 'RUNNING' WHEN i % 50 IN (0, 3) THEN 'FAILED' WHEN i % 50 = 1 THEN 'CANCELLED' ELSE 'FINISHED' END,
       CASE WHEN ${open} THEN NULL WHEN i % 50 = 0 THEN 'error' WHEN i % 50 = 1 THEN 'signal' WHEN i % 50 = 2 THEN 'partial' WHEN i % 50 = 3 THEN 'terminated' ELSE 'ok' END,
       CASE WHEN ${open} THEN NULL WHEN i % 50 = 0 THEN 1 ELSE 0 END, 100, 'Task 2 of 2: writing', CASE WHEN i % 50 = 0 THEN 'no space left on device ' || i END,
       CASE WHEN i % 50 = 0 THEN 'Traceback of some length: ' || i END, '{"R_LIBS":"/usr/lib/R"}', '{"processed":5}', 2, 2, 'writing', 'COMPLETED', 5, 0, 5
     FROM ${numbers(count)}`,
    `INSERT INTO ${table('subtasks')} (run_id, seq, name, state, started_at, ended_at, percent, revision)
     SELECT ${uuid('i')}, 1, 'loading', 'done', ${ago(start)}, ${ago(`${start} - ${took}`)}, 100, 5 FROM ${numbers(count)}`,
    `INSERT INTO ${table('events')} (run_id, seq, at, kind, detail)
     SELECT ${uuid('i')}, 1, ${ago(start)}, 'state', '{}' FROM ${numbers(count)}`,
    `INSERT INTO ${table('files')} (run_id, stage, run, file_name, state, result, file_size, started_at, ended_at, duration_ms, error_code, error_message, revision)
     SELECT ${uuid('i')}, 'import', i, 'run ' || i, CASE WHEN i % 40 = 0 THEN 'failed' ELSE 'done' END, 'stored', 150000, ${ago(start)}, ${ago(`${start} - 1`)}, 1000,
       CASE WHEN i % 40 = 0 THEN 'RECORD_INVALID' END, CASE WHEN i % 40 = 0 THEN 'run ' || i || ': no metadata.txt' END, 5 FROM ${numbers(count)}`,
    `INSERT INTO ${table('process_metrics')} (run_id, at, cpu_percent, memory_mb)
     SELECT ${uuid(`${count} - i % 12`)}, ${ago('i * 15')}, 50, 200 FROM ${numbers(20_000)}`,
    `INSERT INTO ${table('daily_stats')} (task_name, day, executions, ok, failed, killed, items, seconds, p50_seconds, p95_seconds)
     SELECT task_name, ${day('execution_start')}, count(*), SUM(CASE WHEN end_reason = 'ok' THEN 1 ELSE 0 END), SUM(CASE WHEN end_reason = 'error' THEN 1 ELSE 0 END),
       SUM(CASE WHEN end_reason = 'signal' THEN 1 ELSE 0 END), 5, 300, 300, 600 FROM ${table('executions')} GROUP BY 1, 2`,
    `INSERT INTO ${table('tasks')} (task_name, enabled, schedule, expected_duration_minutes)
     SELECT 'TASK_' || i, 1, '60', 10 FROM ${numbers(TASKS - 1)}`,
    'ANALYZE',
  ]
}
