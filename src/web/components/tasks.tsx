import type { TaskLine } from '../model.ts'
import { share, span } from '../text.ts'
import { Ticks } from './bars.tsx'
import { Chip } from './glyph.tsx'
import { Empty, Name, Time } from './parts.tsx'

const FILTERS: Readonly<Record<string, (task: TaskLine) => boolean>> = {
  All: () => true,
  Running: ({ newest }) => newest[0] !== undefined && newest[0].endedAt === undefined,
  'Not good': ({ newest }) => !['ok', 'running', 'skipped'].includes(newest[0]?.standing ?? 'ok'),
}

/** Tasks by stage, each with its newest executions. */
export const TaskTable = ({
  tasks,
  now,
  show,
}: {
  tasks: readonly TaskLine[]
  now: number
  show: string
}) => {
  const shown = tasks.filter(FILTERS[show] ?? (() => true))
  const stages = [...new Set(shown.map(({ stage }) => stage))].sort()
  if (shown.length === 0)
    return (
      <Empty
        what={
          tasks.length === 0 ? 'No execution has been recorded yet.' : `No task is ${show.toLowerCase()}.`
        }
      >
        {tasks.length > 0 && (
          <a class="btn" href="/">
            Show all
          </a>
        )}
      </Empty>
    )
  return (
    <table class="tb tasks">
      <thead>
        <tr>
          <th>Task</th>
          <th>State</th>
          <th class="opt">Started</th>
          <th class="w">Last 30</th>
          <th class="r opt">Took</th>
          <th class="r opt">Usual (p50)</th>
          <th class="r opt">Good</th>
        </tr>
      </thead>
      {stages.map((stage) => (
        <tbody>
          <tr class="gh">
            <th colspan={7} scope="rowgroup">
              {stage}
              <span class="cnt">{shown.filter((task) => task.stage === stage).length}</span>
            </th>
          </tr>
          {shown
            .filter((task) => task.stage === stage)
            .map((task) => (
              <TaskRow task={task} now={now} />
            ))}
        </tbody>
      ))}
    </table>
  )
}

const TaskRow = ({ task: { task, newest, p50 }, now }: { task: TaskLine; now: number }) => {
  const last = newest[0]
  const ended = newest.filter(({ endedAt }) => endedAt !== undefined)
  const good = ended.filter(({ standing }) => ['ok', 'skipped'].includes(standing)).length
  return (
    <tr>
      <th scope="row">
        {last ? (
          <a href={`/executions/${last.id}`}>
            <Name of={task} />
          </a>
        ) : (
          task
        )}
      </th>
      <td>{last && <Chip s={last.standing} title={last.status} />}</td>
      <td class="num nw opt">{last && <Time at={last.startedAt} now={now} />}</td>
      <td class="w">
        <Ticks newest={newest} now={now} />
      </td>
      <td class="num r nw opt">{last && span(((last.endedAt ?? now) - last.startedAt) / 1000)}</td>
      <td class="num r opt nw">{p50 === undefined ? '–' : span(p50)}</td>
      <td class={`num r opt${ended.length > 0 && good / ended.length < 0.9 ? ' low' : ''}`}>
        {ended.length === 0 ? '–' : `${share(good, ended.length)} %`}
      </td>
    </tr>
  )
}
