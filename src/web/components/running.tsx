import type { ExecutionLine } from '../model.ts'
import { count, doneOf, span } from '../text.ts'
import { Pair } from './bars.tsx'
import { Chip } from './glyph.tsx'
import { Empty, Time } from './parts.tsx'

/** When it will be done, always with what that is from; nothing is promised while it waits or hangs. */
export const Eta = ({ execution, now }: { execution: ExecutionLine; now: number }) => {
  const { eta, standing, itemsDone } = execution
  if (standing === 'throttled') return <span>no estimate while throttled</span>
  if (standing === 'hung') return <span>no estimate: it makes no progress</span>
  if (!eta) return null
  const overdue = now > eta.high
  return (
    <>
      <span>
        {eta.covers === 'subtask' ? 'this subtask ends about ' : 'about '}
        <b>
          <Time at={eta.at} now={now} />
        </b>
        , <Time at={eta.low} now={now} /> to <Time at={eta.high} now={now} />{' '}
        <span class="basis">
          {eta.basis === 'history'
            ? 'from its past executions'
            : itemsDone === undefined
              ? 'from its rate'
              : `from ${count(itemsDone)} items`}
        </span>
      </span>
      {overdue && <Chip s="late" word="overdue" />}
    </>
  )
}

export const overallText = ({ subtaskNumber, subtasks, subtask, overallMessage }: ExecutionLine): string => {
  const step = subtaskNumber
    ? `Subtask ${count(subtaskNumber)}${subtasks ? ` of ${count(subtasks)}` : ''}`
    : undefined
  return [step, subtask ?? overallMessage].filter(Boolean).join(': ') || 'No subtask was named'
}

/** The shares of the whole and of the subtask in hand. One that runs has none of what nobody foresaw: all of nothing is not 100 %. */
export const shares = ({ overall, subtaskPercent, items, itemsDone, endedAt }: ExecutionLine) =>
  endedAt === undefined && items !== undefined && (items === 0 || items < (itemsDone ?? 0))
    ? { overall: undefined, part: undefined }
    : { overall, part: subtaskPercent }

export const partText = (execution: ExecutionLine, now: number): string => {
  const { items, itemsDone, subtaskMessage, heartbeatAt, progressAt, standing } = execution
  if (standing === 'hung')
    return `heartbeat ${span((now - (heartbeatAt ?? now)) / 1000)} ago, no progress for ${span((now - (progressAt ?? now)) / 1000)}`
  const done = itemsDone === undefined ? undefined : doneOf(itemsDone, items)
  return [subtaskMessage, done].filter(Boolean).join(', ') || 'No items were counted'
}

/** The executions that run now, each with its two bars. */
export const RunningList = ({ current, now }: { current: readonly ExecutionLine[]; now: number }) =>
  current.length === 0 ? (
    <Empty
      what="Nothing runs now."
      sub={<span class="js-only">An execution appears here within a second of its start.</span>}
    />
  ) : (
    <ul class="runs-now">
      {current.slice(0, 12).map((execution) => (
        <li>
          <div class="rh">
            <a href={`/executions/${execution.id}`}>{execution.task}</a>
            <Chip s={execution.standing} title={execution.status} />
            <span class="meta">
              #{execution.id} · {execution.host} · {span((now - execution.startedAt) / 1000)}
            </span>
          </div>
          <Pair
            compact
            standing={execution.standing}
            {...shares(execution)}
            overallText={overallText(execution)}
            partText={partText(execution, now)}
            eta={<Eta execution={execution} now={now} />}
          />
        </li>
      ))}
      {current.length > 12 && (
        <li>
          <a href="/history?standing=running">and {count(current.length - 12)} more</a>
        </li>
      )}
    </ul>
  )
