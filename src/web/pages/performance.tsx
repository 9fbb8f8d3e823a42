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
import type { TaskDay, TaskLine } from '../model.ts'
import { count, isoDay, plural, share, span } from '../text.ts'
import { changeOf, trendOf, WINDOW } from '../trend.ts'
import type { Ask, Block, View } from '../view.ts'

const DAY = 86_400_000
const TIMES: readonly (readonly [string, string])[] = [
  ['30', '30 d'],
  ['90', '90 d'],
  ['365', '1 y'],
]

/** What the page looks at. */
interface Facts {
  readonly length: string
  /** Empty: all tasks. */
  readonly task: string
  readonly all: readonly TaskDay[]
  readonly change: ReturnType<typeof changeOf>
  /** Executions far out of the usual. */
  readonly odd: number
}

const Lead = ({ length, task, all, change, odd }: Facts) => {
  const executions = total(all, ({ executions: many }) => many)
  const bad = total(all, badOf)
  const ok = total(all, ({ ok }) => ok)
  const ofTask = task === '' ? '' : ` of ${task}`
  if (executions === 0) return <>{`No execution ended in the last ${length} days${ofTask}.`}</>
  return (
    <>
      <b>{plural(executions, 'execution')}</b> in the last {length} days
      {ofTask}; {share(ok, executions)} % ended well
      {bad > 0 && <b>, {count(bad)} ended badly</b>}.{' '}
      {change && Math.abs(change.lately / change.before - 1) >= 0.2 && (
        <b>
          In the last 7 days it takes {span(change.lately)}, {span(change.before)} before.{' '}
        </b>
      )}
      {odd > 0 && `${plural(odd, 'execution was', 'executions were')} far out of the usual.`}
    </>
  )
}

const Choices = (about: {
  readonly task: string
  readonly names: readonly string[]
  readonly length: string
}) => {
  const { task, names, length } = about
  return (
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
  )
}

const AllTasks = (about: {
  readonly days: readonly TaskDay[]
  readonly lines: readonly TaskLine[]
  readonly length: string
  readonly now: number
}) => {
  const { days, lines, length, now } = about
  const byTask = grouped(days)
  return (
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
            line: lines.find(({ task }) => task === name),
          }))}
          days={length}
          now={now}
        />
      )}
    </Panel>
  )
}

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
    // With those before, which say what was usual when the first of them began.
    task === '' ? undefined : ledger?.executions({ task, from: from - WINDOW, limit: TREND_MOST }),
    task === '' ? [] : (ledger?.steps?.(task) ?? []),
  ])
  const read = found?.items ?? []
  const executions = read.filter(({ startedAt }) => startedAt >= from)
  const hasMore = found?.next !== undefined && executions.length === read.length
  const points = trendOf(read).filter(({ at }) => at >= from)
  const change = changeOf(points, now)
  const odd = points.filter(({ isOdd }) => isOdd).length
  const names = [...new Set([...all, ...lines].map((one) => one.task))].sort()
  const lately = Array.from({ length: 7 }, (_, i) => isoDay(now - i * DAY))
  const terminations = <Terminations all={all} days={lately} />
  const api = `/api/v1/executions?${new URLSearchParams({ task, from: new Date(from).toISOString() }).toString()}`
  const ofTask = (): Block[] => [
    { id: 'b-tiles', body: <PerformanceTiles executions={executions} days={all} change={change} /> },
    {
      id: 'b-trend',
      body: <Trend points={points} hasMore={hasMore} api={api} now={now} />,
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
  ]
  const ofAll = (): Block[] => [
    { id: 'b-tasks', body: <AllTasks days={all} lines={lines} length={length} now={now} /> },
    ...(ledger ? [{ id: 'b-why', body: terminations }] : []),
  ]
  return {
    key: 'performance',
    title: 'Performance',
    say: ledger ? (
      <Lead length={length} task={task} all={all} change={change} odd={odd} />
    ) : (
      'No ledger is configured: times are not recorded.'
    ),
    aside: <Choices task={task} names={names} length={length} />,
    blocks: task !== '' && ledger ? ofTask() : ofAll(),
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
