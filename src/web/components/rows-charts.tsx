import type { RowsBatch, RowsFacts } from '../models/rows.ts'
import { count, minuteText, span } from '../text.ts'
import { Chart } from './chart.tsx'
import { Empty, Panel } from './parts.tsx'

const MINUTE = 60_000

/** Batches by minute: the worst lag and the longest history list of each, and the ids of all. */
export interface RowsMinute {
  readonly at: number
  readonly ids: number
  readonly lag: number
  readonly historyList: number
  readonly throttledMs: number
}

const byMinute = (batches: readonly RowsBatch[]): readonly RowsMinute[] => {
  const minutes = new Map<number, RowsMinute>()
  for (const { at, ids, lag, historyList, throttledMs } of batches) {
    const minute = Math.floor(at / MINUTE) * MINUTE
    const before = minutes.get(minute)
    minutes.set(minute, {
      at: minute,
      ids: (before?.ids ?? 0) + ids,
      lag: Math.max(before?.lag ?? -1, lag),
      historyList: Math.max(before?.historyList ?? -1, historyList),
      throttledMs: (before?.throttledMs ?? 0) + throttledMs,
    })
  }
  return [...minutes.values()]
}

/** What was not measured stands as -1 in the log. */
const known = (value: number): number | null => (value < 0 ? null : value)

/** Times in which a batch was held back, in seconds since 1970: each ends when its batch was done. */
const pauses = (batches: readonly RowsBatch[]): (readonly [number, number])[] =>
  batches
    .filter(({ throttledMs }) => throttledMs > 0)
    .map(({ at, tookMs, throttledMs }) => [(at - tookMs - throttledMs) / 1000, (at - tookMs) / 1000] as const)

/** Lag with its limit, speed and history list, on one axis of time; paused times are shaded. */
export const RowsCharts = ({ facts }: { facts: RowsFacts }) => {
  const { batches, maxLag, maxHistoryList } = facts
  const minutes = byMinute(batches)
  if (minutes.length === 0)
    return (
      <Panel title="Replica lag and throttle" id="lagp">
        <Empty what="No batch was done in the last three hours." />
      </Panel>
    )
  if (minutes.length < 2)
    return (
      <Panel title="Replica lag and throttle" id="lagp">
        <p class="sub">
          Its batches of the last three hours were done within one minute: there is nothing to draw.
        </p>
      </Panel>
    )
  const t = minutes.map(({ at }) => at / 1000)
  const shade = pauses(batches)
  const held = batches.reduce((sum, { throttledMs }) => sum + throttledMs, 0) / 1000
  const worst = minutes.reduce((a, b) => (b.lag > a.lag ? b : a))
  const fastest = Math.max(...minutes.map(({ ids }) => ids))
  const last = minutes.at(-1)
  const longest = Math.max(...minutes.map(({ historyList }) => historyList))
  return (
    <div class="cols even">
      <Panel
        title="Replica lag and throttle"
        id="lagp"
        sub="last 3 hours, the worst of each minute; shaded: held back"
      >
        <Chart
          id="lag"
          height={212}
          spec={{
            t,
            sync: 'rw',
            shade,
            ...(maxLag === undefined ? {} : { hline: maxLag }),
            s: [{ k: 'Lag', c: 1, fill: true, unit: 's', d: minutes.map(({ lag }) => known(lag)) }],
          }}
          legend={[
            ['c1', 'Lag, s'],
            ...(maxLag === undefined ? [] : [['thr', `Pause at ${maxLag} s`] as const]),
          ]}
          say={`${
            worst.lag < 0
              ? 'No lag was measured.'
              : worst.lag === 0
                ? 'No lag was seen.'
                : `The longest lag was ${count(worst.lag)} s at ${minuteText(worst.at)}; ${last === undefined || last.lag < 0 ? 'not measured' : `${count(last.lag)} s`} at last.`
          } ${held === 0 ? 'Nothing was held back.' : `Held back for ${span(held)} in all.`}`}
        />
      </Panel>
      <Panel title="Speed and history list" id="ratep" sub="the same 3 hours">
        <Chart
          id="rate"
          height={82}
          spec={{
            t,
            sync: 'rw',
            shade,
            s: [{ k: 'Ids', c: 1, fill: true, unit: '/min', d: minutes.map(({ ids }) => ids) }],
          }}
          legend={[['c1', 'Ids a minute']]}
          say={`${count(last?.ids ?? 0)} ids in the last minute with a batch, ${count(fastest)} at most.`}
        />
        <Chart
          id="hll"
          height={82}
          spec={{
            t,
            sync: 'rw',
            shade,
            ...(maxHistoryList === undefined ? {} : { hline: maxHistoryList }),
            s: [
              {
                k: 'History list',
                c: 1,
                fill: true,
                unit: '',
                d: minutes.map(({ historyList }) => known(historyList)),
              },
            ],
          }}
          legend={[['c1', 'History list length']]}
          say={
            longest < 0
              ? 'No history list was measured.'
              : `${last === undefined || last.historyList < 0 ? 'Not measured' : count(last.historyList)} at last, ${count(longest)} at most${maxHistoryList === undefined ? '' : `; pauses above ${count(maxHistoryList)}`}.`
          }
        />
      </Panel>
    </div>
  )
}
