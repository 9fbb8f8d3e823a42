import { ArchiverError } from '../../errors.ts'
import { STAGE_PATTERNS } from '../../common/stage-patterns.ts'
import { dependencyLoop } from '../graph/critical-path.ts'
import { tables } from './ledger-tables.ts'
import type { Row } from './row.ts'
import type { LedgerDatabase } from './schema-types.ts'

/** What is expected of a task. Undefined leaves what is known; null clears it. */
export interface TaskExpectation {
  readonly task_stage?: string | null | undefined
  readonly task_type?: string | null | undefined
  readonly description?: string | null | undefined
  readonly total_subtasks?: number | null | undefined
  readonly expected_duration_minutes?: number | null | undefined
  /** Minutes between two starts, or `HH:MM` of each day in UTC. */
  readonly schedule?: string | null | undefined
  readonly grace_minutes?: number | null | undefined
  readonly task_order?: number | null | undefined
  readonly depends_on?: readonly string[] | null | undefined
  readonly enabled?: boolean | undefined
}

/** Tasks and stages that this program has written to each database already. */
const known = new WeakMap<object, Set<string>>()

/** Rows that name tasks and stages of executions for the first time. What somebody registered stays as it is. */
export const firstSeen = (database: LedgerDatabase, rows: readonly Row[]): Row[] => {
  const seen = known.get(database.kysely) ?? new Set<string>()
  known.set(database.kysely, seen)
  return rows.flatMap(({ table, cells }) => {
    const {
      task_name: task,
      task_stage: stage = null,
      task_type: type = null,
      total_subtasks: total = null,
    } = cells
    if (table !== 'executions' || typeof task !== 'string' || seen.has(task)) return []
    seen.add(task)
    const described = {
      task_name: task,
      task_stage: stage,
      task_type: type,
      total_subtasks: total,
      enabled: 1,
    }
    const found: Row[] = [{ table: 'tasks', cells: described, transient: false }]
    if (typeof stage !== 'string') return found
    const place = [...STAGE_PATTERNS.keys()].indexOf(stage)
    const order = place === -1 ? null : place + 1
    return [...found, { table: 'stages', cells: { stage_name: stage, stage_order: order }, transient: false }]
  })
}

/**
 * Registers what is expected of a task, and changes what is named of one that is registered. Throws USAGE for dependencies that lead back to
 * the task: such a graph has no path.
 */
export const registerTask = (
  database: LedgerDatabase,
  task: string,
  { enabled, depends_on: dependsOn, ...rest }: TaskExpectation,
): Promise<void> =>
  database.kysely.transaction().execute(async (transaction) => {
    const within = tables({ ...database, kysely: transaction })
    if (dependsOn) {
      const others = await within.selectFrom('tasks').select(['task_name', 'depends_on']).execute()
      const graph = others
        .filter(({ task_name: name }) => name !== task)
        .map((row) => ({ name: row.task_name, dependsOn: namesIn(row.depends_on), seconds: undefined }))
      const loop = dependencyLoop([...graph, { name: task, dependsOn, seconds: undefined }])
      if (loop)
        throw new ArchiverError('USAGE', `these tasks would depend on each other: ${loop.join(' → ')}`)
    }
    const given = {
      ...rest,
      ...(dependsOn === undefined
        ? {}
        : { depends_on: dependsOn && JSON.stringify([...new Set(dependsOn)]) }),
      ...(enabled === undefined ? {} : { enabled: enabled ? 1 : 0 }),
    }
    const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
    const row = await within
      .selectFrom('tasks')
      .select('task_id')
      .where('task_name', '=', task)
      .executeTakeFirst()
    if (!row)
      await within
        .insertInto('tasks')
        .values({ task_name: task, enabled: 1, ...changes })
        .execute()
    else if (Object.keys(changes).length > 0)
      await within.updateTable('tasks').set(changes).where('task_name', '=', task).execute()
  })

/** The names in a JSON array; none where it is something else. */
export const namesIn = (json: string | null): string[] => {
  try {
    const value: unknown = JSON.parse(json ?? '[]')
    return Array.isArray(value) ? value.filter((name): name is string => typeof name === 'string') : []
  } catch {
    return []
  }
}
