import type { RunAttempt, TaskDay } from '../model.ts'
import { GROUP_DAYS } from '../failure-groups.ts'
import { count, isoDay, plural } from '../text.ts'
import { Dots } from './day-dots.tsx'
import { Chip } from './glyph.tsx'
import { Empty, Exports, Panel, Time } from './parts.tsx'
import { badOf, total } from './performance-tables.tsx'

/** Items that are listed. */
const SHOWN = 500

interface Item {
  readonly newest: RunAttempt
  readonly times: number
}

const itemsOf = (attempts: readonly RunAttempt[]): readonly Item[] => {
  const items = new Map<string, { newest: RunAttempt; times: number }>()
  for (const attempt of attempts) {
    const key = JSON.stringify([attempt.stage, attempt.name])
    const known = items.get(key)
    if (known) known.times += 1
    else items.set(key, { newest: attempt, times: 1 })
  }
  return [...items.values()]
}

/** Each item that failed, with its newest attempt and how often it failed. `attempts`: the newest first. */
export const ByRun = ({
  attempts,
  api,
  now,
}: {
  attempts: readonly RunAttempt[]
  api: string
  now: number
}) => {
  const items = itemsOf(attempts)
  return (
    <Panel
      title="By run"
      id="by-run"
      sub={`the newest attempt of each${items.length > SHOWN ? `; the newest ${count(SHOWN)} of ${count(items.length)}` : ''}`}
      aside={<Exports api={api} />}
    >
      {items.length === 0 ? (
        <Empty what="Nothing failed in this time." />
      ) : (
        <table class="tb">
          <thead>
            <tr>
              <th>Run</th>
              <th>Stage</th>
              <th>Code</th>
              <th class="r opt">Times</th>
              <th class="opt">Last</th>
              <th class="opt">Why</th>
            </tr>
          </thead>
          <tbody>
            {items.slice(0, SHOWN).map(({ newest, times }) => (
              <tr>
                <th scope="row" class="num">
                  {newest.run === undefined ? (
                    newest.name
                  ) : (
                    <a href={`/runs/${newest.run}`}>{count(newest.run)}</a>
                  )}
                </th>
                <td>{newest.stage}</td>
                <td>
                  <Chip s="failed" word={newest.code} />
                </td>
                <td class="r num opt">{count(times)}</td>
                <td class="num nw opt">
                  <Time at={newest.endedAt ?? newest.startedAt} now={now} />
                </td>
                <td class="opt clip sub" title={newest.error}>
                  {newest.error ?? ''}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  )
}

/** Tasks with bad ends or failed items in so many days, the worst first; by the sums of whole UTC days. `days`: of 14 at least. */
export const ByTask = ({ days, length, now }: { days: readonly TaskDay[]; length: number; now: number }) => {
  const first = isoDay(now - length * 86_400_000)
  const tasks = [...new Set(days.map(({ task }) => task))]
    .map((task) => ({ task, all: days.filter((day) => day.task === task) }))
    .map(({ task, all }) => ({ task, all, own: all.filter(({ day }) => day >= first) }))
    .map(({ task, all, own }) => ({
      task,
      all,
      own,
      bad: total(own, badOf),
      items: total(own, ({ itemsFailed }) => itemsFailed),
    }))
    .filter(({ bad, items }) => bad + items > 0)
    .sort((a, b) => b.bad - a.bad || b.items - a.items)
  const newest = Array.from({ length: GROUP_DAYS }, (_, i) => isoDay(now - (GROUP_DAYS - 1 - i) * 86_400_000))
  return (
    <Panel
      title="By task"
      id="by-task"
      sub={`UTC days; marks: days of the last ${GROUP_DAYS} with a bad end or a failed item`}
      aside={<Exports api={`/api/v1/stats?days=${length}`} />}
    >
      {tasks.length === 0 ? (
        <Empty what="No task ended badly in this time." />
      ) : (
        <table class="tb">
          <thead>
            <tr>
              <th>Task</th>
              <th class="r">Bad ends</th>
              <th class="r">Failed items</th>
              <th class="r opt">Executions</th>
              <th class="w opt">Days</th>
            </tr>
          </thead>
          <tbody>
            {tasks.map(({ task, all, own, bad, items }) => (
              <tr>
                <th scope="row">
                  <a href={`/history?${new URLSearchParams({ task, standing: 'bad' }).toString()}`}>{task}</a>
                </th>
                <td class="r num">{count(bad)}</td>
                <td class="r num">{count(items)}</td>
                <td class="r num opt" title={plural(own.length, 'day')}>
                  {count(total(own, ({ executions }) => executions))}
                </td>
                <td class="w opt">
                  <Dots
                    days={newest.map((day) =>
                      total(
                        all.filter((one) => one.day === day),
                        (one) => badOf(one) + one.itemsFailed,
                      ),
                    )}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  )
}
