import { tables } from '../ledger/ledger-tables.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'
import { namesIn } from '../ledger/registered-tasks.ts'
import { isLate } from '../graph/conditions.ts'
import { criticalPath, dependencyLoop } from '../graph/critical-path.ts'
import { forecast, slackOf, type ForecastTask } from '../graph/forecast.ts'
import { quantile } from '../../common/quantile.ts'
import { executionLine } from './execution-lines.ts'
import { newestOfTasks, pastOfTasks } from './newest-of-tasks.ts'
import { latestOf, outlooks } from './outlooks.ts'

/** Tasks that one graph shows. */
const MOST = 300

/**
 * The graph of registered dependencies: of a pipeline (a stage) with all that its tasks depend on, or of all. Tasks that neither depend on
 * another nor are depended on are left out.
 */
export const dependencyGraph = async (
  database: LedgerDatabase,
  now: number,
  pipeline: string | undefined,
) => {
  const rows = await tables(database).selectFrom('tasks').selectAll().where('enabled', '=', 1).execute()
  const registered = rows.map((row) => ({ row, name: row.task_name, dependsOn: namesIn(row.depends_on) }))
  const needed = new Set(registered.flatMap(({ dependsOn }) => dependsOn))
  const names = new Set(registered.map(({ name }) => name))
  const linked = [
    ...registered.filter(({ name, dependsOn }) => dependsOn.length > 0 || needed.has(name)),
    ...[...needed].filter((name) => !names.has(name)).map((name) => ({ row: NOT_SEEN, name, dependsOn: [] })),
  ]
  const pipelines = [...new Set(linked.map(({ row }) => row.task_stage ?? 'UNKNOWN'))].sort()
  const shown = within(linked, pipeline).slice(0, MOST)
  const loop = dependencyLoop(shown.map((task) => ({ ...task, seconds: undefined })))
  const shownNames = shown.map(({ name }) => name)
  const newest = await newestOfTasks(database, shownNames, 1)
  const pasts = await pastOfTasks(database, shownNames)
  const seen = await outlooks(database, [...newest.values()].flat(), now)
  const tasks = shown.map(({ row, name, dependsOn }) => {
    const [last] = newest.get(name) ?? []
    const past = pasts.get(name) ?? []
    const expectation = { schedule: row.schedule ?? undefined, graceMinutes: row.grace_minutes ?? undefined }
    const late = isLate(expectation, last && latestOf(last, now), now)
    const line = last && executionLine(last, seen.get(last.run_id))
    return { row, name, dependsOn, past, seconds: quantile(past, 0.5), late, line }
  })
  const path = criticalPath(tasks)
  const ends = loop ? undefined : forecast(tasks.map(forecastTask), now)
  const slack = loop ? undefined : slackOf(tasks.map((task) => ({ ...task, seconds: task.seconds ?? 0 })))
  return {
    tasks: tasks.map(({ row, name, dependsOn, seconds, late, line }) => {
      const ahead = ends?.get(name)
      const isOpen = line !== undefined && line.endedAt === undefined
      const isOver = line && !isOpen && ahead && !ahead.isDone && ahead.why === undefined
      return {
        task: name,
        stage: row.task_stage ?? 'UNKNOWN',
        dependsOn,
        // A good end of an earlier round says nothing of this one.
        standing: late && !isOpen ? ('late' as const) : !line || isOver ? ('none' as const) : line.standing,
        p50: seconds,
        execution: line?.id,
        isDone: ahead?.isDone ?? false,
        begins: ahead?.begins,
        ends: ahead?.ends,
        low: ahead?.low,
        high: ahead?.high,
        why: loop ? 'its dependencies form a loop' : ahead?.why,
        slack: path.tasks.includes(name) ? undefined : slack?.get(name),
      }
    }),
    critical: path.tasks,
    seconds: path.seconds,
    bottleneck: path.bottleneck,
    unknown: path.unknown,
    loop,
    pipelines,
  }
}

/** A task that another one names, and that was neither registered nor seen. */
const NOT_SEEN = { task_stage: null, schedule: null, grace_minutes: null }

interface Linked {
  readonly name: string
  readonly dependsOn: readonly string[]
  readonly row: { readonly task_stage: string | null }
}

/** The tasks of a pipeline, and all that they depend on. */
const within = <T extends Linked>(tasks: readonly T[], pipeline: string | undefined): readonly T[] => {
  if (pipeline === undefined) return tasks
  const byName = new Map(tasks.map((task) => [task.name, task]))
  const kept = new Set<T>()
  const keep = (task: T | undefined): void => {
    if (!task || kept.has(task)) return
    kept.add(task)
    for (const need of task.dependsOn) keep(byName.get(need))
  }
  for (const task of tasks) if ((task.row.task_stage ?? 'UNKNOWN') === pipeline) keep(task)
  return [...kept]
}

const STUCK = ['LOST', 'HUNG', 'THROTTLED', 'BLOCKED', 'PAUSED']

const forecastTask = (task: {
  readonly name: string
  readonly dependsOn: readonly string[]
  readonly past: readonly number[]
  readonly late: boolean
  readonly line: ReturnType<typeof executionLine> | undefined
}): ForecastTask => {
  const { name, dependsOn, past, late, line } = task
  const stuck = line?.conditions.find((word) => STUCK.includes(word))?.toLowerCase()
  return {
    name,
    dependsOn,
    past,
    isLate: late,
    latest: line && {
      is: line.endedAt === undefined ? 'open' : isGood(line.standing) ? 'good' : 'bad',
      startedAt: line.startedAt,
      endedAt: line.endedAt,
      eta: line.eta?.covers === 'execution' ? line.eta : undefined,
      stuck: stuck && `${stuck}: no estimate`,
    },
  }
}

const isGood = (standing: string): boolean => ['ok', 'skipped', 'partial'].includes(standing)
