import type { DialectName } from '../../sql/database-url.ts'
import { GRACE_MINUTES, LIMITS, SILENT_AFTER } from '../graph/conditions.ts'
import { HELD } from '../graph/outlook.ts'
import { qualified } from './table-types.ts'

/** How an engine says what the rules need. Times are epoch milliseconds. */
interface Words {
  readonly now: string
  readonly ms: (time: string) => string
  readonly dayOf: (ms: string) => string
  readonly isClock: (text: string) => string
  readonly isNumber: (text: string) => string
  readonly whole: (text: string) => string
  readonly real: (text: string) => string
  /** That of the names in a JSON array not all are `done`, a condition about the task of a name. */
  readonly lacks: (tasks: string, array: string, done: (name: string) => string) => string
}

const DAY = 86_400_000
const MINUTE = 60_000
const CLOCK = "'^([01][0-9]|2[0-3]):[0-5][0-9]$'"
const NUMBER = "'^[0-9]{1,9}([.][0-9]{1,9})?$'"

const WORDS: Readonly<Record<DialectName, Words>> = {
  postgres: {
    now: '(EXTRACT(EPOCH FROM now()) * 1000)',
    ms: (time) => `(EXTRACT(EPOCH FROM ${time}) * 1000)`,
    dayOf: (ms) => `(FLOOR(${ms} / ${DAY}) * ${DAY})`,
    isClock: (text) => `${text} ~ ${CLOCK}`,
    isNumber: (text) => `${text} ~ ${NUMBER}`,
    whole: (text) => `CAST(${text} AS INTEGER)`,
    real: (text) => `CAST(${text} AS DOUBLE PRECISION)`,
    lacks: (_tasks, array, done) =>
      `EXISTS (SELECT 1 FROM jsonb_array_elements(CASE WHEN jsonb_typeof(${array}) = 'array' THEN ${array} ELSE '[]' END) AS need(task)
        WHERE jsonb_typeof(need.task) = 'string' AND NOT (${done("(need.task #>> '{}')")}))`,
  },
  mysql: {
    now: '(UNIX_TIMESTAMP() * 1000)',
    ms: (time) => `(UNIX_TIMESTAMP(${time}) * 1000)`,
    dayOf: (ms) => `(FLOOR(${ms} / ${DAY}) * ${DAY})`,
    isClock: (text) => `${text} REGEXP ${CLOCK}`,
    isNumber: (text) => `${text} REGEXP ${NUMBER}`,
    whole: (text) => `CAST(${text} AS SIGNED)`,
    real: (text) => `CAST(${text} AS DECIMAL(20, 9))`,
    // MariaDB has no JSON_TABLE before 10.6. A task that was never seen or registered is in no table, and so not among those that are done.
    lacks: (tasks, array, done) =>
      `(CASE WHEN JSON_VALID(${array}) THEN JSON_LENGTH(${array}) ELSE 0 END) >
        (SELECT COUNT(*) FROM ${tasks} need WHERE JSON_VALID(${array}) AND JSON_CONTAINS(${array}, JSON_QUOTE(need.task_name)) AND (${done('need.task_name')}))`,
  },
  sqlite: {
    now: "((julianday('now') - 2440587.5) * 86400000.0)",
    ms: (time) => `((julianday(${time}) - 2440587.5) * 86400000.0)`,
    dayOf: (ms) => `(CAST(${ms} / ${DAY} AS INTEGER) * ${DAY})`,
    isClock: (text) => `(${text} GLOB '[01][0-9]:[0-5][0-9]' OR ${text} GLOB '2[0-3]:[0-5][0-9]')`,
    isNumber: (text) =>
      `(${text} GLOB '[0-9]*' AND ${text} NOT GLOB '*[^0-9.]*' AND ${text} NOT GLOB '*.*.*' AND ${text} NOT GLOB '*.' AND LENGTH(${text}) <= 10)`,
    whole: (text) => `CAST(${text} AS INTEGER)`,
    real: (text) => `CAST(${text} AS REAL)`,
    lacks: (_tasks, array, done) =>
      `EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(${array}) THEN ${array} ELSE '[]' END) need
        WHERE need.type = 'text' AND NOT (${done('need.value')}))`,
  },
}

/** No heartbeat for three intervals; of a program that has none, no write for an hour. */
const lost = ({ ms, now }: Words, e: string): string => `
  ABS(${now} - CASE WHEN ${e}.heartbeat_at IS NOT NULL THEN ${ms(`${e}.heartbeat_at`)}
    WHEN ABS(${now} - ${ms(`${e}.last_update`)}) > ${SILENT_AFTER} THEN ${ms(`${e}.last_update`)} ELSE ${now} END) >
    CASE WHEN ${e}.heartbeat_seconds * 1000 > ${LIMITS.heartbeatEvery} THEN ${e}.heartbeat_seconds * 3000 ELSE ${3 * LIMITS.heartbeatEvery} END`

const hung = ({ ms, now }: Words, e: string): string => {
  const still = `ABS(${now} - ${ms(`COALESCE(${e}.progress_at, ${e}.execution_start)`)})`
  const itemMs = `CASE WHEN ${e}.items_attempted > 0 AND ${e}.progress_at IS NOT NULL
    THEN (${ms(`${e}.progress_at`)} - ${ms(`${e}.execution_start`)}) * 1.0 / ${e}.items_attempted ELSE 0 END`
  return `COALESCE(${e}.sub_state, '') = '' AND ${e}.heartbeat_at IS NOT NULL AND ${still} > ${LIMITS.hungAfter} AND ${still} > 5 * (${itemMs})`
}

const late = (words: Words, t: string, started: string): string => {
  const { ms, now, dayOf, isClock, isNumber, whole, real } = words
  const text = `${t}.schedule`
  const grace = `COALESCE(${t}.grace_minutes, ${GRACE_MINUTES}) * ${MINUTE}`
  const clock = `(${dayOf(now)} + (${whole(`SUBSTR(${text}, 1, 2)`)} * 60 + ${whole(`SUBSTR(${text}, 4, 2)`)}) * ${MINUTE})`
  const due = `(CASE WHEN ${clock} <= ${now} THEN ${clock} ELSE ${clock} - ${DAY} END)`
  return `CASE
    WHEN ${isClock(text)} THEN ${now} - ${due} > ${grace}
      AND (${started} IS NULL OR ${ms(started)} < ${due} OR ${ms(started)} > ${now})
    WHEN ${isNumber(text)} THEN ${started} IS NOT NULL AND ${real(text)} > 0
      AND ABS(${now} - ${ms(started)}) - ${real(text)} * ${MINUTE} > ${grace}
    ELSE 1 = 0 END`
}

/**
 * The condition that an execution of the alias `e` waits: it has begun and reported nothing since, and a task that its own depends on has not
 * ended well. What counts is the newest execution of that task that began before it, or a later one that ended well.
 */
export const blockedSql = (dialect: DialectName, schema: string | undefined, e: string): string => {
  const [tasks, executions] = [qualified(schema, 'tasks'), qualified(schema, 'executions')]
  // From the newest start before its own: both are found in the index by task and start, however often the other task ran.
  const done = (name: string): string => `EXISTS (SELECT 1 FROM ${executions} good
    WHERE good.task_name = ${name} AND good.execution_status = 'FINISHED' AND good.execution_start >= COALESCE((SELECT MAX(earlier.execution_start)
      FROM ${executions} earlier WHERE earlier.task_name = ${name} AND earlier.execution_start <= ${e}.execution_start), ${e}.execution_start))`
  return `(${e}.execution_status = 'STARTED' AND EXISTS (SELECT 1 FROM ${tasks} own
    WHERE own.task_name = ${e}.task_name AND own.depends_on IS NOT NULL AND ${WORDS[dialect].lacks(tasks, 'own.depends_on', done)}))`
}

/**
 * The one word of a task as a column: what `displayStatus` (tracking/graph/outlook.ts) says, from the same limits. `c` is its newest execution,
 * `t` what is registered of it; without `t` nobody registered it.
 */
export const displayStatusSql = (
  dialect: DialectName,
  schema: string | undefined,
  c: string,
  t?: string,
): string => {
  const words = WORDS[dialect]
  const held = `UPPER(${c}.sub_state) IN (${HELD.map((word) => `'${word}'`).join(', ')})`
  const lateCase = t === undefined ? '' : `WHEN ${late(words, t, `${c}.execution_start`)} THEN 'LATE'`
  return `CASE WHEN ${c}.execution_status IN ('STARTED', 'RUNNING') THEN CASE
    WHEN ${lost(words, c)} THEN 'LOST'
    WHEN ${held} THEN UPPER(${c}.sub_state)
    WHEN COALESCE(${c}.sub_state, '') = '' AND ${blockedSql(dialect, schema, c)} THEN 'BLOCKED'
    WHEN ${hung(words, c)} THEN 'HUNG'
    ELSE ${c}.execution_status END
  ${lateCase} ELSE COALESCE(${c}.execution_status, 'NOT_STARTED') END`
}
