import type { ExecutionLine } from '../model.ts'
import { count, span } from '../text.ts'
import { Chip } from './glyph.tsx'
import { Empty, Exports, Name, Panel, Time } from './parts.tsx'

const DAY = 86_400_000
/** Bad ends that are listed. */
export const ENDS = 200

const endsQuery = (now: number): string =>
  new URLSearchParams({ standing: 'bad', from: new Date(now - DAY).toISOString() }).toString()

interface EndsShown {
  readonly executions: readonly ExecutionLine[]
  /** Whether more ended badly than are listed. */
  readonly hasMore: boolean
  readonly now: number
}

/** What ended badly in the last day, with the way to all of it. */
export const EndsPanel = ({ executions, hasMore, now }: EndsShown) => (
  <Panel
    title="Executions that ended badly"
    id="ends"
    sub={`started in the last 24 hours${hasMore ? `; the newest ${count(ENDS)} are listed` : ''}`}
    aside={<Exports api={`/api/v1/executions?${endsQuery(now)}`} />}
  >
    <Ends executions={executions} now={now} />
    {hasMore && (
      <div class="pgr">
        <a class="btn" href={`/history?${endsQuery(now)}`}>
          All of them ›
        </a>
      </div>
    )}
  </Panel>
)

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
                <Name of={one.task} /> #{one.id}
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
