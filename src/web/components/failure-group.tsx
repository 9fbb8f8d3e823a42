import { type FailureGroup, isGrowing, retryCommand } from '../failure-groups.ts'
import { count } from '../text.ts'
import { Cmd, Time } from './parts.tsx'

const Days = ({ days }: { days: readonly number[] }) => {
  const most = Math.max(1, ...days)
  return (
    <svg class="days" viewBox="0 0 98 26" role="img" aria-label={`by day, oldest first: ${days.join(', ')}`}>
      {days.map((value, at) => {
        const height = Math.max(1.5, (value / most) * 24)
        return <rect x={at * 7} y={26 - height} width="5.4" height={height} class={value > 0 ? 'x' : 'z'} />
      })}
    </svg>
  )
}

/** One cause: how often, when, which runs, and what to do. */
export const Group = ({
  group,
  now,
  config,
  first,
}: {
  group: FailureGroup
  now: number
  config: string | undefined
  first: boolean
}) => (
  <details class="fg" open={first}>
    <summary>
      <span class="c num">{count(group.count)}</span>
      <span class="m">
        <b>{group.message}</b>
        <span class="sub">
          <code>{group.code ?? 'no code'}</code> {group.stage}
          {isGrowing(group, now) && <em class="new">growing</em>}
        </span>
      </span>
      <Days days={group.days} />
      <span class="w sub nw">
        last{' '}
        <b class="num">
          <Time at={group.last} now={now} />
        </b>
        <br />
        first <Time at={group.first} now={now} />
      </span>
    </summary>
    <div class="fd">
      <div>
        <h2>
          {group.stage === 'import' || group.stage === 'migrate' ? 'Run' : 'Item'}
          {group.runs.size === 1 ? '' : 's'}
        </h2>
        <p class="num">{group.runs.size === 0 ? 'no number was left' : group.runs.toString()}</p>
        {group.execution !== undefined && (
          <>
            <h2>Last execution</h2>
            <p>
              <a href={`/executions/${group.execution}`}>#{group.execution}</a>
            </p>
          </>
        )}
      </div>
      <div>
        <h2>What to do</h2>
        <p>
          {group.code === 'CONFLICT'
            ? 'Nothing was overwritten. Compare the copies, then decide.'
            : 'Cure what the message names, then try again.'}{' '}
          {group.code && `${group.code} is explained in docs/ERRORS.md.`}
        </p>
        {config !== undefined && <NextStep group={group} config={config} />}
      </div>
    </div>
  </details>
)

const NextStep = ({ group, config }: { group: FailureGroup; config: string }) => {
  const command =
    group.code === 'CONFLICT' && group.runs.first !== undefined
      ? `run-archiver diff ${group.runs.first} --config ${config}`
      : retryCommand(group.stage, config)
  return command === undefined ? <></> : <Cmd c={command} />
}
