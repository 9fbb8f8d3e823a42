import { executionQuery } from '../api/question.ts'
import { ExecutionTable } from '../components/execution-table.tsx'
import { WORDS } from '../components/glyph.tsx'
import { compare } from '../compare.ts'
import { Comparison } from '../components/comparison.tsx'
import { Gantt } from '../components/gantt.tsx'
import { Choice, Empty, Exports, Panel, Select } from '../components/parts.tsx'
import { ganttOf } from '../gantt.ts'
import type { ExecutionLine, LedgerReads, Standing } from '../model.ts'
import { count, dayText, isoDay, plural } from '../text.ts'
import type { Ask, Block, View } from '../view.ts'

const DAY = 86_400_000
/** Executions that the day's picture looks at, and how many of them one question reads. */
const DRAWN = 10_000
const SLICE = 1000

const STANDINGS: readonly Standing[] = [
  'running',
  'ok',
  'partial',
  'failed',
  'killed',
  'terminated',
  'reboot',
  'skipped',
]

const FIELDS = [
  ['task', 'Task'],
  ['stage', 'Stage'],
  ['host', 'Host'],
  ['from', 'From, UTC'],
  ['to', 'To'],
  ['q', 'Text'],
] as const

/** Every execution of a day, and of the day before where it lasted into it; at most 10,000, the newest. */
const ofDay = async (
  ledger: LedgerReads,
  query: Parameters<LedgerReads['executions']>[0],
  day: number,
): Promise<{ readonly items: readonly ExecutionLine[]; readonly isWhole: boolean }> => {
  const items: ExecutionLine[] = []
  let cursor: string | undefined
  do {
    const slice = await ledger.executions({ ...query, from: day - DAY, to: day + DAY, limit: SLICE, cursor })
    items.push(...slice.items)
    cursor = slice.next
  } while (cursor !== undefined && items.length < DRAWN)
  return { items, isWhole: cursor === undefined }
}

const comparison = async (
  ledger: LedgerReads | undefined,
  ids: readonly string[],
  now: number,
): Promise<Block[]> => {
  if (!ledger) return []
  const [one, two] = await Promise.all(ids.slice(0, 2).map((id) => ledger.execution(id)))
  if (!one || !two) return []
  const [a, b] = one.startedAt >= two.startedAt ? [one, two] : [two, one]
  const [ofA, ofB] = await Promise.all([ledger.metrics(a.id), ledger.metrics(b.id)])
  const lines = compare({ execution: a, metrics: ofA }, { execution: b, metrics: ofB }, now)
  return [{ id: 'b-compare', body: <Comparison a={a} b={b} lines={lines} /> }]
}

const Filters = ({ query }: { readonly query: URLSearchParams }) => (
  <form class="filters" role="search" aria-label="Filter" action="/history">
    <Select
      label="Status"
      name="standing"
      current={query.get('standing') ?? ''}
      options={[
        ['', 'Any status'],
        ['bad', 'Ended badly'],
        ...STANDINGS.map((one) => [one, WORDS[one]] as const),
      ]}
    />
    {FIELDS.map(([name, label]) => (
      <label class="fld">
        <span>{label}</span>
        <input
          name={name}
          value={query.get(name) ?? query.get(name === 'from' || name === 'to' ? 'day' : '') ?? ''}
          placeholder={name === 'from' || name === 'to' ? 'YYYY-MM-DD' : undefined}
          size={name === 'from' || name === 'to' ? 11 : undefined}
        />
      </label>
    ))}
    <button class="btn">Filter</button>
  </form>
)

const Day = (about: {
  readonly drawn: Awaited<ReturnType<typeof ofDay>>
  readonly day: number
  readonly today: number
  readonly now: number
}) => {
  const { drawn, day, today, now } = about
  return (
    <Panel
      title={`${dayText(day, now)}, UTC`}
      id="gantt"
      sub={`each bar is an execution; its page is behind it${drawn.isWhole ? '' : `; the newest ${count(DRAWN)}`}`}
      aside={<Exports api={`/api/v1/executions?day=${isoDay(day)}`} />}
    >
      <Gantt
        lines={ganttOf(drawn.items, day, now)}
        today={day === today ? (now - day) / DAY : undefined}
        now={now}
      />
    </Panel>
  )
}

const Nothing = ({ isFiltered }: { readonly isFiltered: boolean }) => (
  <Empty what={isFiltered ? 'No execution matches.' : 'No execution has been recorded yet.'}>
    {isFiltered && (
      <a class="btn" href="/history">
        Clear the filter
      </a>
    )}
  </Empty>
)

/** `/history`: what ran, and when? The filters stand in the address. */
export const historyPage = async ({ sources, query, now }: Ask): Promise<View> => {
  const { ledger } = sources
  const asked = executionQuery(query, 50)
  const today = Math.floor(now / DAY) * DAY
  // The picture is of the day that is chosen, else of the last one of the range.
  const day = Math.min(today, Math.floor(((asked.to ?? now + 1) - 1) / DAY) * DAY)
  const ticked = query.getAll('compare')
  const [{ items, next }, drawn, compared] = await Promise.all([
    ledger?.executions(asked) ?? { items: [], next: undefined },
    ledger && asked.cursor === undefined ? ofDay(ledger, asked, day) : undefined,
    comparison(ledger, ticked, now),
  ])
  const filters = new URLSearchParams(
    [...query].filter(([name, value]) => value !== '' && name !== 'cursor' && name !== 'compare'),
  )
  const search = filters.size === 0 ? '' : `?${filters.toString()}`
  const older = new URLSearchParams(filters)
  if (next !== undefined) older.set('cursor', next)
  const bad = items.filter(({ standing }) =>
    ['partial', 'failed', 'killed', 'terminated', 'reboot'].includes(standing),
  ).length
  const dayHref = (at: number): string => {
    const there = new URLSearchParams(filters)
    there.set('day', isoDay(at))
    for (const name of ['from', 'to']) there.delete(name)
    return `/history?${there.toString()}`
  }
  return {
    key: 'history',
    title: 'History',
    say: (
      <>
        <b>{plural(items.length, 'execution')}</b> shown, the newest first
        {next !== undefined && `; older ones ${filters.size > 0 ? 'match too' : 'are behind them'}`}.{' '}
        {items.length > 0 &&
          (bad === 0 ? 'All of these ended well or still run.' : <b>{count(bad)} did not end well.</b>)}
      </>
    ),
    aside: (
      <Choice
        label="Day"
        current={dayText(day, now)}
        items={[
          [`‹ ${dayText(day - DAY, now)}`, dayHref(day - DAY)],
          [dayText(day, now), dayHref(day)],
          ...(day < today ? [[`${dayText(day + DAY, now)} ›`, dayHref(day + DAY)] as const] : []),
        ]}
      />
    ),
    blocks: [
      {
        id: 'b-filters',
        body: <Filters query={query} />,
      },
      ...(drawn === undefined
        ? []
        : [{ id: 'b-day', body: <Day drawn={drawn} day={day} today={today} now={now} /> }]),
      ...compared,
      {
        id: 'b-executions',
        body: (
          <Panel
            title="Executions"
            id="ex"
            sub="tick two to compare them"
            aside={<Exports api={`/api/v1/executions${search}`} />}
          >
            {items.length === 0 ? (
              <Nothing isFiltered={filters.size > 0} />
            ) : (
              <ExecutionTable
                executions={items}
                filters={filters}
                ticked={ticked}
                older={next === undefined ? undefined : `/history?${older.toString()}`}
                now={now}
              />
            )}
          </Panel>
        ),
      },
    ],
    live: query.get('cursor') === null,
  }
}
