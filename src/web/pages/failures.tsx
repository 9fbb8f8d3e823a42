import { EndsPanel, ENDS } from '../components/bad-ends.tsx'
import { ByRun, ByTask } from '../components/failure-lists.tsx'
import { Group } from '../components/failure-group.tsx'
import { Choice, Empty, Exports, Panel, Select } from '../components/parts.tsx'
import {
  failedItems,
  type FailureGroup,
  failureGroups,
  failuresWith,
  GROUP_DAYS,
  isGrowing,
  withBefore,
} from '../failure-groups.ts'
import { count, plural } from '../text.ts'
import type { Ask, View } from '../view.ts'

const DAY = 86_400_000
/** Failed attempts that are looked at. */
const ATTEMPTS = 5000
/** Days looked back, by the word in the address. */
const SEEN: Readonly<Record<string, number>> = { '1': 1, '14': 14, '90': 90 }

/** `/failures`: one cause or many? Only failed attempts that the ledger holds; a run counts once for each cause. */
export const failuresPage = async ({ sources, query, now }: Ask): Promise<View> => {
  const { ledger } = sources
  const seen = query.get('seen') ?? '14'
  const days = SEEN[seen] ?? 14
  const stage = query.get('stage') ?? ''
  const text = (query.get('q') ?? '').trim()
  const since = now - days * DAY
  const by = query.get('by') ?? 'cause'
  // The bars and marks are of 14 days, however short the time is that is asked for.
  const from = now - Math.max(days, GROUP_DAYS) * DAY
  const [looked, taskDays, ends] = await Promise.all([
    ledger?.failures(from, ATTEMPTS) ?? [],
    by === 'task' ? (ledger?.days(from) ?? []) : [],
    ledger?.executions({ back: DAY, standing: 'bad', limit: ENDS }),
  ])
  const recent = ends?.items ?? []
  const hasMore = ends?.next !== undefined
  const attempts = looked.filter(({ startedAt }) => startedAt >= since)
  const shown = failuresWith(attempts, stage, text)
  const groups = withBefore(failureGroups(shown, now), failureGroups(failuresWith(looked, stage, text), now))
  const stages = [...new Set(attempts.map((attempt) => attempt.stage))].sort()
  const isFiltered = stage !== '' || text !== ''
  return {
    key: 'failures',
    title: 'Failures',
    say: ledger
      ? sentence(groups, { all: failedItems(shown), days, now, ends: recent.length, hasMore })
      : 'No ledger is configured: failures are not recorded.',
    aside: (
      <Choice
        label="Group"
        current={WAYS.find(([, value]) => value === by)?.[0] ?? 'By cause'}
        items={WAYS.map(([word, value]) => [word, `/failures?${withWay(query, value)}`])}
      />
    ),
    blocks: [
      {
        id: 'b-filters',
        body: <Filters stage={stage} stages={stages} seen={seen} by={by} text={query.get('q') ?? ''} />,
      },
      {
        id: 'b-groups',
        body:
          by === 'task' ? (
            <ByTask days={taskDays} length={days} now={now} />
          ) : by === 'run' ? (
            <ByRun attempts={shown} api={`/api/v1/failures?${filtersOf(days, stage, text)}`} now={now} />
          ) : groups.length === 0 ? (
            <Panel id="groups">
              <Empty what={isFiltered ? 'No failure matches.' : 'No failure in this time.'} />
            </Panel>
          ) : (
            <>
              {attempts.length === ATTEMPTS && (
                <p class="sub">Only the newest {count(ATTEMPTS)} failed attempts are looked at.</p>
              )}
              <Exports api={`/api/v1/failures?${filtersOf(days, stage, text)}`} />
              <div class="groups">
                {groups.map((group, at) => (
                  <Group group={group} now={now} config={sources.runs?.config} first={at === 0} />
                ))}
              </div>
            </>
          ),
      },
      {
        id: 'b-ends',
        body: <EndsPanel executions={recent} hasMore={hasMore} now={now} />,
      },
    ],
    live: ledger !== undefined,
  }
}

interface Wanted {
  readonly stage: string
  readonly stages: readonly string[]
  readonly seen: string
  readonly by: string
  readonly text: string
}

/** What of the failures is shown; the choice stands in the address. */
const Filters = ({ stage, stages, seen, by, text }: Wanted) => (
  <form class="filters" role="search" aria-label="Filter" action="/failures">
    <Select
      label="Stage"
      name="stage"
      current={stage}
      options={[['', 'All stages'], ...stages.map((one) => [one, one] as const)]}
    />
    <Select
      label="Seen"
      name="seen"
      current={seen}
      options={[
        ['1', 'Last 24 h'],
        ['14', 'Last 14 days'],
        ['90', 'Last 90 days'],
      ]}
    />
    <label class="fld">
      <span>Text</span>
      <input name="q" value={text} />
    </label>
    {by !== 'cause' && <input type="hidden" name="by" value={by} />}
    <button class="btn">Filter</button>
  </form>
)

const WAYS = [
  ['By cause', 'cause'],
  ['By task', 'task'],
  ['By run', 'run'],
] as const

const withWay = (query: URLSearchParams, way: string): string => {
  const other = new URLSearchParams(query)
  other.set('by', way)
  return other.toString()
}

const filtersOf = (days: number, stage: string, text: string): string =>
  new URLSearchParams({
    days: String(days),
    ...(stage === '' ? {} : { stage }),
    ...(text === '' ? {} : { q: text }),
  }).toString()

interface Shown {
  /** Items that failed, each once. */
  readonly all: number
  readonly days: number
  readonly now: number
  readonly ends: number
  /** Whether more executions ended badly than are listed. */
  readonly hasMore: boolean
}

const sentence = (groups: readonly FailureGroup[], { all, days, now, ends, hasMore }: Shown) => {
  const time = days === 1 ? 'in the last 24 hours' : `in the last ${days} days`
  const [largest] = groups
  const ended =
    ends > 0 &&
    ` ${hasMore ? `More than ${count(ends)} executions` : plural(ends, 'execution')} of the last 24 hours ended badly.`
  if (!largest) return `Nothing failed ${time}.${ended || ''}`
  return (
    <>
      <b>
        {plural(all, 'item')} failed for {plural(groups.length, 'cause')}
      </b>{' '}
      {time}.{' '}
      {groups.length > 1 &&
        largest.count > 1 &&
        `One cause makes ${count(largest.count)} of them${isGrowing(largest, now) ? ' and is still growing' : ''}.`}
      {ended}
    </>
  )
}
