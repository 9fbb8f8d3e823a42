import type { ExecutionLine, RunsSnapshot, TaskDay } from '../model.ts'
import { count, isoDay, plural, share, span } from '../text.ts'
import { Spark } from './bars.tsx'
import { Tile, Time } from './parts.tsx'
import { failedCount, isUnknown, onTheirWay, whyUnknown } from './runs.tsx'

const DAY = 86_400_000

interface Facts {
  readonly now: number
  readonly snapshot: RunsSnapshot | undefined
  readonly current: readonly ExecutionLine[]
  readonly days: readonly TaskDay[]
}

/** Executions of these days that ended well (one with failed items did not), and all that ended. */
export const endedWell = (days: readonly TaskDay[]): readonly [number, number] => [
  days.reduce((sum, day) => sum + day.ok, 0),
  days.reduce((sum, day) => sum + day.executions, 0),
]

/** The five figures at the top of the overview. */
export const Tiles = ({ facts }: { facts: Facts }) => {
  const { snapshot, days, now, current } = facts
  const [good, all] = endedWell(days)
  const today = days.filter(({ day }) => day === isoDay(now))
  const items = today.reduce((sum, { items: n }) => sum + n, 0)
  const failedToday = today.reduce((sum, { itemsFailed }) => sum + itemsFailed, 0)
  const perDay = Array.from({ length: 7 }, (_, i) => isoDay(now - (6 - i) * DAY))
  const sumOf = (of: (day: TaskDay) => number): number[] =>
    perDay.map((day) => days.filter((row) => row.day === day).reduce((sum, row) => sum + of(row), 0))
  const success = snapshot?.lastSuccess
  return (
    <dl class="tiles">
      <Tile
        k="Items today"
        v={count(items)}
        sub={`${plural(failedToday, 'failed', 'failed')}, UTC day`}
        spark={
          <Spark
            values={sumOf((day) => day.items)}
            zero
            label={`items by day, 7 days: ${sumOf((day) => day.items).join(', ')}`}
          />
        }
        href="/history"
      />
      {snapshot ? (
        <Tile
          k="On their way"
          v={isUnknown(snapshot) ? '?' : count(onTheirWay(snapshot))}
          sub={isUnknown(snapshot) ? whyUnknown(snapshot) : 'not failed, not archived'}
          href="/runs"
        />
      ) : (
        <Tile k="Running" v={count(current.length)} sub="executions" href="/history?standing=running" />
      )}
      {snapshot ? (
        <Tile
          k="Failed"
          v={snapshot.import.known && snapshot.migrate.known ? count(failedCount(snapshot)) : '?'}
          s={failedCount(snapshot) > 0 ? 'failed' : undefined}
          sub={
            snapshot.import.known && snapshot.migrate.known
              ? 'runs in the failure logs'
              : 'a failure log cannot be read'
          }
          href="/runs"
        />
      ) : (
        <Tile k="Failed items today" v={count(failedToday)} href="/runs" />
      )}
      <Tile
        k="Executions, 7 days"
        v={
          all === 0 ? (
            '–'
          ) : (
            <>
              {share(good, all)}
              <small> %</small>
            </>
          )
        }
        sub={all === 0 ? 'none has ended' : `${count(good)} of ${count(all)} ended well`}
        spark={
          <Spark
            values={sumOf((day) => day.executions)}
            zero
            label={`executions by day, 7 days: ${sumOf((day) => day.executions).join(', ')}`}
          />
        }
        href="/history"
      />
      <Tile
        k="Last success"
        v={success === undefined ? '–' : span((now - success) / 1000)}
        sub={
          success === undefined ? (
            snapshot ? (
              'no pass has ended well yet'
            ) : (
              'no archiver is configured'
            )
          ) : (
            <>
              a pass ended well at <Time at={success} now={now} />
            </>
          )
        }
        href="/history"
      />
    </dl>
  )
}
