import type { ExecutionLine } from '../model.ts'
import { count, span } from '../text.ts'
import { Chip } from './glyph.tsx'
import { Name, Time } from './parts.tsx'

const Row = ({ execution, now, ticked }: { execution: ExecutionLine; now: number; ticked: boolean }) => (
  <tr id={`x-${execution.id}`}>
    <td class="ck">
      <input
        type="checkbox"
        name="compare"
        id={`c-${execution.id}`}
        value={execution.id}
        checked={ticked}
        aria-label={`Compare ${execution.task} #${execution.id}`}
      />
    </td>
    <td class="r num opt">
      <a href={`/executions/${execution.id}`}>{execution.id}</a>
    </td>
    <th scope="row">
      <a href={`/executions/${execution.id}`}>
        <Name of={execution.task} />
      </a>
      {/* On a phone the two columns behind it stand under the name, which has the line for itself. */}
      <span class="phone">
        <Chip s={execution.standing} title={execution.status} />
        <span class="num nw">
          <Time at={execution.startedAt} now={now} />
        </span>
      </span>
    </th>
    <td class="opt">
      <Chip s={execution.standing} title={execution.status} />
    </td>
    <td class="num nw opt">
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

/** Executions, of which two can be ticked to be compared. `filters` stay in the address. */
export const ExecutionTable = ({
  executions,
  filters,
  ticked,
  older,
  now,
}: {
  executions: readonly ExecutionLine[]
  filters: URLSearchParams
  ticked: readonly string[]
  /** Where the executions behind them are; undefined where there are none. */
  older: string | undefined
  now: number
}) => (
  <form action="/history">
    {[...filters].map(([name, value]) => (
      <input type="hidden" name={name} value={value} />
    ))}
    <table class="tb">
      <thead>
        <tr>
          <th class="ck">
            <span class="vh">Compare</span>
          </th>
          <th class="r opt">Id</th>
          <th>Task</th>
          <th class="opt">Status</th>
          <th class="opt">Started</th>
          <th class="r">Took</th>
          <th class="r opt">Items</th>
          <th class="opt">Host</th>
          <th class="opt">Message</th>
        </tr>
      </thead>
      <tbody>
        {executions.map((execution) => (
          <Row execution={execution} now={now} ticked={ticked.includes(String(execution.id))} />
        ))}
      </tbody>
    </table>
    <div class="pgr">
      <button class="btn">Compare two</button>
      {older !== undefined && (
        <a class="btn" href={older}>
          Older ›
        </a>
      )}
    </div>
  </form>
)
