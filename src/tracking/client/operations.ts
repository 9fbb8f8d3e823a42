import {
  canonicalName,
  EXECUTION_WORDS,
  fieldValue,
  isWord,
  RANGES,
  SUB_STATES,
  SUBTASK_WORDS,
  type Kind,
} from './operation-fields.ts'

/**
 * One thing that a pipeline reports. The same words stand in the library, on the command line, in the JSON lines of `track pipe`, in a
 * journal and in the HTTP API. A field that is left out leaves what is known; null clears it.
 */
export interface Operation {
  readonly op: OperationName
  readonly [field: string]: unknown
}

export const OPERATIONS = [
  'init',
  'status',
  'enter',
  'exit',
  'message',
  'progress',
  'add',
  'finish',
  'error',
  'cancel',
  'heartbeat',
] as const

export type OperationName = (typeof OPERATIONS)[number]

/** The fields of each operation. What is not listed is reported once and ignored. */
const FIELDS: Readonly<Record<OperationName, Readonly<Record<string, Kind>>>> = {
  init: {
    task_name: 'text',
    total_subtasks: 'whole',
    stage: 'text',
    type: 'text',
    script_path: 'text',
    script_file: 'text',
    log_path: 'text',
    log_file: 'text',
    parent_run_id: 'text',
    hostname: 'text',
    process_id: 'whole',
    process_start_ticks: 'count',
    boot_id: 'text',
    user_name: 'text',
    git_commit: 'text',
    environment: 'map',
    heartbeat_seconds: 'seconds',
    argv: 'text',
    version: 'text',
    invocation_id: 'text',
  },
  status: {
    status: 'status',
    sub_state: 'sub-state',
    current_subtask: 'whole',
    total_subtasks: 'whole',
    subtask_name: 'text',
    subtask_status: 'subtask-status',
    overall_percent: 'percent',
    overall_message: 'text',
    subtask_percent: 'percent',
    subtask_message: 'text',
    subtask_items_total: 'count',
    subtask_items_complete: 'count',
    memory_mb: 'whole',
    cpu_percent: 'processors',
    log_path: 'text',
    log_file: 'text',
  },
  enter: { message: 'text', items_total: 'count' },
  exit: { message: 'text', subtask_status: 'subtask-status', error: 'text' },
  message: { message: 'text' },
  progress: { items_complete: 'count', items_total: 'count', message: 'text', percent: 'percent' },
  add: { items: 'change', items_total: 'count', message: 'text' },
  finish: { message: 'text', failed: 'count', exit_code: 'exit-code' },
  error: { message: 'text', detail: 'text', exit_code: 'exit-code', reason: 'text' },
  cancel: { signal: 'text', message: 'text', exit_code: 'exit-code' },
  heartbeat: {
    cpu_percent: 'processors',
    memory_mb: 'whole',
    peak_memory_mb: 'whole',
    read_bytes: 'count',
    write_bytes: 'count',
    open_files: 'whole',
    threads: 'whole',
  },
}

/** What was read, and what was wrong with it: each problem a sentence. */
export interface ReadOperation {
  readonly operation: Operation | undefined
  readonly problems: readonly string[]
  /** Old parameter names that were used, with their new names: `total_tasks` → `total_subtasks`. */
  readonly old: readonly string[]
}

/**
 * Checks one operation from outside. It never throws: a field that cannot be used is left out and named in `problems`, so that a wrong
 * number never costs a pipeline more than this number.
 */
export const readOperation = (value: unknown): ReadOperation => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { operation: undefined, problems: ['an operation must be a JSON object'], old: [] }
  const { op, ...given } = value as Record<string, unknown>
  if (!isWord(OPERATIONS, op)) {
    const known = OPERATIONS.join(', ')
    return {
      operation: undefined,
      problems: [`"op": ${JSON.stringify(op)} must be one of ${known}`],
      old: [],
    }
  }
  const fields: Record<string, unknown> = {}
  const problems: string[] = []
  const old: string[] = []
  for (const [name, raw] of Object.entries(given)) {
    if (PASSED.has(name)) {
      fields[name] = raw
      continue
    }
    const canonical = canonicalName(op, name)
    const kind = FIELDS[op][canonical]
    if (kind === undefined) {
      problems.push(`"${name}" is not a field of "${op}"`)
      continue
    }
    if (canonical !== name) old.push(`${name} → ${canonical}`)
    try {
      // The new name wins where both are given.
      if (canonical === name || !Object.hasOwn(given, canonical)) fields[canonical] = fieldValue(kind, raw)
    } catch (error) {
      problems.push(`"${name}": ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { operation: { op, ...fields }, problems, old }
}

/** Fields that say which execution is meant and when: read by whoever carries the operation. */
const PASSED: ReadonlySet<string> = new Set(['run_id', 'at'])

export const textIn = (operation: Operation, field: string): string | null | undefined => {
  const value = operation[field]
  return typeof value === 'string' || value === null ? value : undefined
}

export const numberIn = (operation: Operation, field: string): number | null | undefined => {
  const value = operation[field]
  return typeof value === 'number' || value === null ? value : undefined
}

const rangeSchema = (kind: keyof typeof RANGES): object => {
  const { low, high, whole } = RANGES[kind]
  return { type: [whole ? 'integer' : 'number', 'null'], minimum: low, maximum: high }
}

const SCHEMAS: Readonly<Record<Kind, object>> = {
  text: { type: ['string', 'null'] },
  whole: rangeSchema('whole'),
  count: rangeSchema('count'),
  change: rangeSchema('change'),
  'exit-code': rangeSchema('exit-code'),
  processors: rangeSchema('processors'),
  seconds: rangeSchema('seconds'),
  percent: { type: ['number', 'null'], minimum: 0, maximum: 100 },
  status: { enum: EXECUTION_WORDS },
  'subtask-status': { enum: SUBTASK_WORDS },
  'sub-state': { enum: [...SUB_STATES, null] },
  map: { type: ['object', 'null'], additionalProperties: { type: 'string' } },
}

/** JSON Schema of an operation's fields. */
export const operationSchema = (op: OperationName): Readonly<Record<string, object>> =>
  Object.fromEntries(Object.entries(FIELDS[op]).map(([name, kind]) => [name, SCHEMAS[kind]]))
