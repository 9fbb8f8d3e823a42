import { Choice, Empty, Exports, Panel, Select } from '../components/parts.tsx'
import {
  badOf,
  SlowSteps,
  TaskDays,
  TaskTimes,
  Terminations,
  total,
} from '../components/performance-tables.tsx'
import { PerformanceTiles } from '../components/performance-tiles.tsx'
import { Trend, TREND_MOST } from '../components/trend.tsx'
import type { TaskDay } from '../model.ts'
import { count, isoDay, plural, share, span } from '../text.ts'
import { changeOf, trendOf } from '../trend.ts'
import type { Ask, Block, View } from '../view.ts'

const DAY = 86_400_000
const TIMES: readonly (readonly [string, string])[] = [
  ['30', '30 d'],
  ['90', '90 d'],
  ['365', '1 y'],
]

/** `/performance`: slower than usual? Figures of whole UTC days, as the ledger sums them. */
export const performancePage = async ({ sources, query, now }: Ask): Promise<View> => {
  const { ledger } = sources
  const wanted = query.get('days') ?? '30'
  const length = TIMES.some(([value]) => value === wanted) ? wanted : '30'
  const task = query.get('task') ?? ''
  const from = now - Number(length) * DAY
  const [all, lines, found, steps] = await Promise.all([
    ledger?.days(from, task === '' ? undefined : task) ?? [],
    ledger?.tasks() ?? [],
    task === '' ? undefined : ledger?.executions({ task, from, limit: TREND_MOST }),
    task === '' ? [] : (ledger?.steps?.(task) ?? []),
  ])
  const points = trendOf(found?.items ?? [])
  const change = changeOf(points, now)
  const byTask = grouped(all)
  const names = [...new Set([...byTask.keys(), ...lines.map((line) => line.task)])].sort()
  const executions = total(all, ({ executions: many }) => many)
  const bad = total(all, badOf)
  const odd = points.filter(({ isOdd }) => isOdd).length
  const lately = Array.from({ length: 7 }, (_, i) => isoDay(now - i * DAY))
  const blocks: Block[] = []
  const terminations = <Terminations all={all} days={lately} />
  if (task !== '' && ledger)
    blocks.push(
      {
        id: 'b-tiles',
        body: <PerformanceTiles executions={found?.items ?? []} days={all} change={change} />,
      },
      {
        id: 'b-trend',
        body: (
          <Trend
            points={points}
            hasMore={found?.next !== undefined}
            api={`/api/v1/executions?${new URLSearchParams({ task, from: new Date(from).toISOString() }).toString()}`}
            now={now}
          />
        ),
      },
      {
        id: 'b-why',
        body: (
          <div class="cols even">
            <SlowSteps steps={steps} />
            {terminations}
          </div>
        ),
      },
      { id: 'b-days', body: <TaskDays days={all} /> },
    )
  else
    blocks.push(
      {
        id: 'b-tasks',
        body: (
          <Panel
            title="All tasks"
            id="tasks"
            sub="p50 and p95: of those of the newest 30 that finished or were partial"
            aside={<Exports api={`/api/v1/stats?days=${length}`} />}
          >
            {byTask.size === 0 ? (
              <Empty what="No execution in this time." />
            ) : (
              <TaskTimes
                rows={[...byTask.keys()].sort().map((name) => ({
                  name,
                  days: byTask.get(name) ?? [],
                  line: lines.find((line) => line.task === name),
                }))}
                days={length}
                now={now}
              />
            )}
          </Panel>
        ),
      },
      ...(ledger ? [{ id: 'b-why', body: terminations }] : []),
    )
  return {
    key: 'performance',
    title: 'Performance',
    say: ledger ? (
      executions === 0 ? (
        `No execution ended in the last ${length} days${task === '' ? '' : ` of ${task}`}.`
      ) : (
        <>
          <b>{plural(executions, 'execution')}</b> in the last {length} days
          {task === '' ? '' : ` of ${task}`};{' '}
          {share(
            total(all, ({ ok }) => ok),
            executions,
          )}{' '}
          % ended well
          {bad > 0 && <b>, {count(bad)} ended badly</b>}.{' '}
          {change && Math.abs(change.lately / change.before - 1) >= 0.2 && (
            <b>
              In the last 7 days it takes {span(change.lately)}, {span(change.before)} before.{' '}
            </b>
          )}
          {odd > 0 && `${plural(odd, 'execution was', 'executions were')} far out of the usual.`}
        </>
      )
    ) : (
      'No ledger is configured: times are not recorded.'
    ),
    aside: (
      <>
        <form class="filters" role="search" aria-label="Filter" action="/performance">
          <Select
            label="Task"
            name="task"
            current={task}
            options={[['', 'All tasks'], ...names.map((one) => [one, one] as const)]}
          />
          <input type="hidden" name="days" value={length} />
          <button class="btn">Show</button>
        </form>
        <Choice
          label="Range"
          current={TIMES.find(([value]) => value === length)?.[1] ?? ''}
          items={TIMES.map(([value, word]) => [
            word,
            `/performance?${new URLSearchParams({ ...(task === '' ? {} : { task }), days: value }).toString()}`,
          ])}
        />
      </>
    ),
    blocks,
    live: false,
  }
}

const grouped = (days: readonly TaskDay[]): Map<string, TaskDay[]> => {
  const groups = new Map<string, TaskDay[]>()
  for (const day of days) {
    const own = groups.get(day.task)
    if (own) own.push(day)
    else groups.set(day.task, [day])
  }
  return groups
}
