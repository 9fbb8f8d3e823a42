import { Empty, Exports, Panel, Select } from '../components/parts.tsx'
import { Trend, TREND_MOST } from '../components/trend.tsx'
import type { TaskDay } from '../model.ts'
import { count, plural, share, span } from '../text.ts'
import { changeOf, trendOf } from '../trend.ts'
import type { Ask, View } from '../view.ts'

const DAY = 86_400_000
const TIMES: readonly (readonly [string, string])[] = [
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', '1 year'],
]

interface Sum {
  readonly executions: number
  readonly ok: number
  readonly partly: number
  readonly bad: number
  readonly items: number
  readonly seconds: number
}

const sumOf = (days: readonly TaskDay[]): Sum => ({
  executions: total(days, ({ executions }) => executions),
  ok: total(days, ({ ok }) => ok),
  partly: total(days, ({ partly }) => partly),
  bad: total(days, badOf),
  items: total(days, ({ items }) => items),
  seconds: total(days, ({ seconds }) => seconds),
})

const total = (days: readonly TaskDay[], of: (day: TaskDay) => number): number =>
  days.reduce((sum, day) => sum + of(day), 0)

const badOf = (day: TaskDay): number => day.failed + day.killed + day.reboots + day.unseen

const seconds = (value: number | undefined): string => (value === undefined ? 'no estimate' : span(value))

/** `/performance`: slower than usual? Figures of whole UTC days, as the ledger sums them. */
export const performancePage = async ({ sources, query, now }: Ask): Promise<View> => {
  const { ledger } = sources
  const wanted = query.get('days') ?? '30'
  const length = TIMES.some(([value]) => value === wanted) ? wanted : '30'
  const task = query.get('task') ?? ''
  const from = now - Number(length) * DAY
  const [all, lines, found] = await Promise.all([
    ledger?.days(from) ?? [],
    ledger?.tasks() ?? [],
    task === '' ? undefined : ledger?.executions({ task, from, limit: TREND_MOST }),
  ])
  const points = trendOf(found?.items ?? [])
  const change = changeOf(points, now)
  const byTask = grouped(all)
  const names = [...byTask.keys()].sort()
  const shown = task === '' ? all : all.filter((day) => day.task === task)
  const sum = sumOf(shown)
  return {
    key: 'performance',
    title: 'Performance',
    say: ledger ? (
      sum.executions === 0 ? (
        `No execution ended in the last ${length} days${task === '' ? '' : ` of ${task}`}.`
      ) : (
        <>
          <b>{plural(sum.executions, 'execution')}</b> in the last {length} days
          {task === '' ? '' : ` of ${task}`}; {share(sum.ok, sum.executions)} % ended well
          {sum.bad > 0 && <b>, {count(sum.bad)} ended badly</b>}.{' '}
          {change && Math.abs(change.lately / change.before - 1) >= 0.2 && (
            <b>
              In the last 7 days it takes {span(change.lately)}, {span(change.before)} before.
            </b>
          )}
        </>
      )
    ) : (
      'No ledger is configured: times are not recorded.'
    ),
    blocks: [
      {
        id: 'b-filters',
        body: (
          <form class="filters" role="search" aria-label="Filter" action="/performance">
            <Select
              label="Task"
              name="task"
              current={task}
              options={[['', 'All tasks'], ...names.map((one) => [one, one] as const)]}
            />
            <Select label="Time" name="days" current={length} options={TIMES} />
            <button class="btn">Show</button>
          </form>
        ),
      },
      ...(task === '' || !ledger
        ? []
        : [
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
          ]),
      {
        id: 'b-tasks',
        body: (
          <Panel
            title="Tasks"
            id="tasks"
            sub="p50 and p95: of those of the newest 30 that finished or were partial"
            aside={
              <Exports
                api={`/api/v1/stats${task === '' ? '' : `/${encodeURIComponent(task)}`}?days=${length}`}
              />
            }
          >
            {names.length === 0 ? (
              <Empty what="No execution in this time." />
            ) : (
              <Tasks
                rows={names
                  .filter((name) => task === '' || name === task)
                  .map((name) => ({
                    name,
                    sum: sumOf(byTask.get(name) ?? []),
                    line: lines.find((line) => line.task === name),
                  }))}
                days={length}
              />
            )}
          </Panel>
        ),
      },
      ...(task === '' ? [] : [{ id: 'b-days', body: <Days days={shown} /> }]),
    ],
    live: false,
  }
}

const grouped = (days: readonly TaskDay[]): Map<string, TaskDay[]> => {
  const groups = new Map<string, TaskDay[]>()
  for (const day of days) groups.set(day.task, [...(groups.get(day.task) ?? []), day])
  return groups
}

interface TaskRow {
  readonly name: string
  readonly sum: Sum
  readonly line: { readonly p50: number | undefined; readonly p95: number | undefined } | undefined
}

const Tasks = ({ rows, days }: { rows: readonly TaskRow[]; days: string }) => (
  <table class="tb">
    <thead>
      <tr>
        <th>Task</th>
        <th class="r opt">Executions</th>
        <th class="r">Ended well, %</th>
        <th class="r">Ended badly</th>
        <th class="r">p50</th>
        <th class="r opt">p95</th>
        <th class="r opt">Items</th>
      </tr>
    </thead>
    <tbody>
      {rows.map(({ name, sum, line }) => (
        <tr>
          <th scope="row">
            <a href={`/performance?days=${days}&task=${encodeURIComponent(name)}`}>{name}</a>
          </th>
          <td class="r num opt">{count(sum.executions)}</td>
          <td class="r num">{share(sum.ok, sum.executions)}</td>
          <td class="r num">{count(sum.bad)}</td>
          <td class="r num nw">{seconds(line?.p50)}</td>
          <td class="r num opt nw">{seconds(line?.p95)}</td>
          <td class="r num opt">{count(sum.items)}</td>
        </tr>
      ))}
    </tbody>
  </table>
)

const Days = ({ days }: { days: readonly TaskDay[] }) => (
  <Panel title="By day" id="days" sub="UTC days, the newest first">
    <table class="tb">
      <thead>
        <tr>
          <th>Day</th>
          <th class="r">Executions</th>
          <th class="r">Ended well</th>
          <th class="r">Partial</th>
          <th class="r">Ended badly</th>
          <th class="r">p50</th>
          <th class="r">p95</th>
        </tr>
      </thead>
      <tbody>
        {[...days]
          .sort((a, b) => (a.day < b.day ? 1 : -1))
          .map((day) => (
            <tr>
              <th scope="row" class="num nw">
                <a href={`/history?day=${day.day}&task=${encodeURIComponent(day.task)}`}>{day.day}</a>
              </th>
              <td class="r num">{count(day.executions)}</td>
              <td class="r num">{count(day.ok)}</td>
              <td class="r num">{count(day.partly)}</td>
              <td class="r num">{count(badOf(day))}</td>
              <td class="r num nw">{seconds(day.p50)}</td>
              <td class="r num nw">{seconds(day.p95)}</td>
            </tr>
          ))}
      </tbody>
    </table>
  </Panel>
)
