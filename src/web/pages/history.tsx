import { executionQuery } from '../api/question.ts'
import { Chip, WORDS } from '../components/glyph.tsx'
import { Empty, Exports, Panel, Select, Time } from '../components/parts.tsx'
import type { ExecutionLine, Standing } from '../model.ts'
import { count, plural, span } from '../text.ts'
import type { Ask, View } from '../view.ts'

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

const Row = ({ execution, now }: { execution: ExecutionLine; now: number }) => (
  <tr>
    <td class="r num opt">
      <a href={`/executions/${execution.id}`}>{execution.id}</a>
    </td>
    <th scope="row">
      <a href={`/executions/${execution.id}`}>{execution.task}</a>
    </th>
    <td>
      <Chip s={execution.standing} title={execution.status} />
    </td>
    <td class="num nw">
      <Time at={execution.startedAt} now={now} />
    </td>
    <td class="num r nw">{span(((execution.endedAt ?? now) - execution.startedAt) / 1000)}</td>
    <td class="num r opt">{execution.attempted === 0 ? '–' : count(execution.attempted)}</td>
    <td class="opt sub nw">{execution.host}</td>
    <td class="opt clip sub" title={execution.error}>
      {execution.error ?? ''}
    </td>
  </tr>
)

/** `/history`: what ran, and when? The filters stand in the address. */
export const historyPage = async ({ sources, query, now }: Ask): Promise<View> => {
  const { items, next } = (await sources.ledger?.executions(executionQuery(query, 50))) ?? {
    items: [],
    next: undefined,
  }
  const filters = new URLSearchParams([...query].filter(([name, value]) => value !== '' && name !== 'cursor'))
  const search = filters.size === 0 ? '' : `?${filters.toString()}`
  const older = new URLSearchParams(filters)
  if (next !== undefined) older.set('cursor', next)
  const bad = items.filter(({ standing }) =>
    ['partial', 'failed', 'killed', 'terminated', 'reboot'].includes(standing),
  ).length
  return {
    key: 'history',
    title: 'History',
    say: (
      <>
        <b>{plural(items.length, 'execution')}</b> {filters.size > 0 ? 'match' : 'shown'}, the newest first.{' '}
        {bad === 0 ? 'All ended well or still run.' : <b>{count(bad)} did not end well.</b>}
      </>
    ),
    blocks: [
      {
        id: 'b-filters',
        body: (
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
            {['task', 'stage', 'host', 'day', 'q'].map((name) => (
              <label class="fld">
                <span>
                  {name === 'q'
                    ? 'Text'
                    : name === 'day'
                      ? 'UTC day'
                      : `${name.charAt(0).toUpperCase()}${name.slice(1)}`}
                </span>
                <input name={name} value={query.get(name) ?? ''} />
              </label>
            ))}
            <button class="btn">Filter</button>
          </form>
        ),
      },
      {
        id: 'b-executions',
        body: (
          <Panel title="Executions" id="ex" aside={<Exports api={`/api/v1/executions${search}`} />}>
            {items.length === 0 ? (
              <Empty
                what={filters.size > 0 ? 'No execution matches.' : 'No execution has been recorded yet.'}
              >
                {filters.size > 0 && (
                  <a class="btn" href="/history">
                    Clear the filter
                  </a>
                )}
              </Empty>
            ) : (
              <table class="tb">
                <thead>
                  <tr>
                    <th class="r opt">Id</th>
                    <th>Task</th>
                    <th>Status</th>
                    <th>Started</th>
                    <th class="r">Took</th>
                    <th class="r opt">Items</th>
                    <th class="opt">Host</th>
                    <th class="opt">Message</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((execution) => (
                    <Row execution={execution} now={now} />
                  ))}
                </tbody>
              </table>
            )}
            {next !== undefined && (
              <div class="pgr">
                <a class="btn" href={`/history?${older.toString()}`}>
                  Older ›
                </a>
              </div>
            )}
          </Panel>
        ),
      },
    ],
    live: query.get('cursor') === null,
  }
}
