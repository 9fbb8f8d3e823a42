import { Group } from '../components/failure-group.tsx'
import { Chip } from '../components/glyph.tsx'
import { Empty, Exports, Panel, Select, Time } from '../components/parts.tsx'
import { type FailureGroup, failureGroups, isGrowing } from '../failure-groups.ts'
import type { ExecutionLine, RunAttempt } from '../model.ts'
import { count, plural, span } from '../text.ts'
import type { Ask, View } from '../view.ts'

const DAY = 86_400_000
/** Failed attempts that are looked at. */
const ATTEMPTS = 5000
/** Bad ends that are listed. */
const ENDS = 200
/** Days looked back, by the word in the address. */
const SEEN: Readonly<Record<string, number>> = { '1': 1, '14': 14, '90': 90 }
const BAD: readonly string[] = ['failed', 'killed', 'terminated', 'reboot']

/** `/failures`: one cause or many? Only failed attempts that the ledger holds; a run counts once for each cause. */
export const failuresPage = async ({ sources, query, now }: Ask): Promise<View> => {
  const { ledger } = sources
  const seen = query.get('seen') ?? '14'
  const days = SEEN[seen] ?? 14
  const stage = query.get('stage') ?? ''
  const text = (query.get('q') ?? '').trim().toLowerCase()
  const since = now - days * DAY
  const [attempts, recent] = await Promise.all([
    ledger?.failures(since, ATTEMPTS) ?? [],
    badEnds(ask(now), ledger),
  ])
  const shown = attempts.filter((attempt) => matches(attempt, stage, text))
  const groups = failureGroups(shown, now)
  const stages = [...new Set(attempts.map((attempt) => attempt.stage))].sort()
  const isFiltered = stage !== '' || text !== ''
  return {
    key: 'failures',
    title: 'Failures',
    say: ledger
      ? sentence(groups, days, now, recent.length)
      : 'No ledger is configured: failures are not recorded.',
    blocks: [
      {
        id: 'b-filters',
        body: (
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
              <input name="q" value={query.get('q') ?? ''} />
            </label>
            <button class="btn">Filter</button>
          </form>
        ),
      },
      {
        id: 'b-groups',
        body:
          groups.length === 0 ? (
            <Panel id="groups">
              <Empty what={isFiltered ? 'No failure matches.' : 'No failure in this time.'} />
            </Panel>
          ) : (
            <>
              {attempts.length === ATTEMPTS && (
                <p class="sub">Only the newest {count(ATTEMPTS)} failed attempts are looked at.</p>
              )}
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
        body: (
          <Panel
            title="Executions that ended badly"
            id="ends"
            sub="started in the last 24 hours"
            aside={<Exports api="/api/v1/failures" />}
          >
            <Ends executions={recent} now={now} />
          </Panel>
        ),
      },
    ],
    live: ledger !== undefined,
  }
}

const ask = (now: number) => ({ from: now - DAY, limit: ENDS })

const badEnds = async (
  query: ReturnType<typeof ask>,
  ledger: Ask['sources']['ledger'],
): Promise<readonly ExecutionLine[]> => {
  const found = await Promise.all(
    (['failed', 'killed', 'terminated', 'reboot'] as const).map(
      async (standing) => (await ledger?.executions({ ...query, standing }))?.items ?? [],
    ),
  )
  return found
    .flat()
    .filter(({ standing }) => BAD.includes(standing))
    .sort((a, b) => b.startedAt - a.startedAt)
}

const matches = (attempt: RunAttempt, stage: string, text: string): boolean =>
  (stage === '' || attempt.stage === stage) &&
  `${attempt.code ?? ''} ${attempt.error ?? ''}`.toLowerCase().includes(text)

const sentence = (groups: readonly FailureGroup[], days: number, now: number, ends: number) => {
  const time = days === 1 ? 'in the last 24 hours' : `in the last ${days} days`
  const [largest] = groups
  const ended = ends > 0 && ` ${plural(ends, 'execution')} of the last 24 hours ended badly.`
  if (!largest) return `No run failed ${time}.${ended || ''}`
  const all = groups.reduce((sum, group) => sum + group.count, 0)
  return (
    <>
      <b>
        {plural(all, 'failure')} for {plural(groups.length, 'cause')}
      </b>{' '}
      {time}.{' '}
      {groups.length > 1 &&
        `One cause makes ${count(largest.count)} of them${isGrowing(largest, now) ? ' and is still growing' : ''}.`}
      {ended}
    </>
  )
}

const Ends = ({ executions, now }: { executions: readonly ExecutionLine[]; now: number }) =>
  executions.length === 0 ? (
    <Empty what="None." />
  ) : (
    <table class="tb">
      <thead>
        <tr>
          <th>Task</th>
          <th>End</th>
          <th>Started</th>
          <th class="r">After</th>
          <th class="opt">Message</th>
        </tr>
      </thead>
      <tbody>
        {executions.map((one) => (
          <tr>
            <th scope="row">
              <a href={`/executions/${one.id}`}>
                {one.task} #{one.id}
              </a>
            </th>
            <td>
              <Chip s={one.standing} title={one.status} />
            </td>
            <td class="num nw">
              <Time at={one.startedAt} now={now} />
            </td>
            <td class="num r nw">
              {one.endedAt === undefined ? '–' : span((one.endedAt - one.startedAt) / 1000)}
            </td>
            <td class="opt clip sub" title={one.error}>
              {one.error ?? ''}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
