import { RunSet } from '../../common/run-set.ts'
import { endedWell, Tiles } from '../components/overview-tiles.tsx'
import { BandBox } from '../components/band.tsx'
import { Glyph } from '../components/glyph.tsx'
import { Choice, Cmd, Empty, Panel } from '../components/parts.tsx'
import { TaskTable } from '../components/tasks.tsx'
import { RunningList } from '../components/running.tsx'
import { failedCount, isUnknown, Legend, Marks, missingSentence, onTheirWay } from '../components/runs.tsx'
import { failureGroups } from '../failure-groups.ts'
import type { ExecutionLine, RunsSnapshot, TaskDay, TaskLine } from '../model.ts'
import { count, plural } from '../text.ts'
import { type Todo, todoList } from '../todo.ts'
import type { Ask, Block, View } from '../view.ts'

const DAY = 86_400_000
/** Failed attempts among which the causes of failed runs are looked for, the newest. */
const ATTEMPTS = 2000

export interface Facts {
  readonly now: number
  readonly snapshot: RunsSnapshot | undefined
  readonly current: readonly ExecutionLine[]
  readonly tasks: readonly TaskLine[]
  readonly days: readonly TaskDay[]
  readonly todo: readonly Todo[]
}

const gather = async ({ sources, now }: Ask): Promise<Facts> => {
  const { ledger, runs } = sources
  const [snapshot, current, tasks, days, failures] = await Promise.all([
    runs?.snapshot(),
    ledger?.current() ?? [],
    ledger?.tasks() ?? [],
    ledger?.days(now - 6 * DAY) ?? [],
    ledger?.failures(now - 400 * DAY, ATTEMPTS) ?? [],
  ])
  const open = snapshot && {
    import: snapshot.import.known ? snapshot.import.value.failed : RunSet.EMPTY,
    migrate: snapshot.migrate.known ? snapshot.migrate.value.failed : RunSet.EMPTY,
  }
  const groups = open ? failureGroups(failures, now, open) : []
  const attemptsCut = failures.length < ATTEMPTS ? undefined : ATTEMPTS
  const config = runs?.config ?? 'config.yaml'
  const todo = todoList({ now, config, current, tasks, groups, snapshot, attemptsCut })
  return { now, snapshot, current, tasks, days, todo }
}

/** The lead: how far the archive is whole, what failed, what is on its way. */
const overviewSentence = ({ snapshot, current, days, now }: Facts) => {
  if (!snapshot) {
    const [good, all] = endedWell(days)
    return (
      <>
        <b>{plural(current.length, 'execution')}</b> running.{' '}
        {all === 0
          ? 'None has ended in the last 7 days.'
          : `${count(good)} of ${count(all)} ended well in the last 7 days.`}
      </>
    )
  }
  const failed = failedCount(snapshot)
  const way = onTheirWay(snapshot)
  const { completeThrough, last, firstOpen } = snapshot.map
  const missing = missingSentence(snapshot, now)
  if (isUnknown(snapshot))
    return (
      <>
        {missing} {failed > 0 && <b>{plural(failed, 'run')} failed.</b>}
      </>
    )
  if (last === 0) return <>No run has been taken yet.</>
  return (
    <>
      {firstOpen === undefined ? (
        <>
          <b>Every run taken is archived</b>, up to <b class="num">{count(last)}</b>.
        </>
      ) : completeThrough === 0 ? (
        <>The first run taken, {count(snapshot.map.first)}, is not archived.</>
      ) : (
        <>
          Everything up to <b class="num">{count(completeThrough)}</b> is archived.
        </>
      )}{' '}
      {failed > 0 ? <b>{plural(failed, 'run')} failed</b> : 'None failed'}, {count(way)}{' '}
      {way === 1 ? 'is' : 'are'} on {way === 1 ? 'its' : 'their'} way.{missing && <> {missing}</>}
    </>
  )
}

const TodoPanel = ({ todo, snapshot }: Pick<Facts, 'todo' | 'snapshot'>) => (
  <Panel
    title="Needs a person"
    id="todo"
    sub={
      snapshot?.isListing
        ? 'the stores are being listed: what they show is added when they are'
        : 'most urgent first; each with what to do'
    }
  >
    {todo.length === 0 ? (
      <Empty what={snapshot?.isListing ? 'Nothing that is known yet.' : 'Nothing needs a person.'} />
    ) : (
      <ol class="todo">
        {todo.slice(0, 8).map(({ standing, title, text, href, command }) => (
          <li>
            <Glyph s={standing} label={standing} />
            <div>
              <a href={href}>{title}</a>
              <p>{text}</p>
              {command && <Cmd c={command} />}
            </div>
          </li>
        ))}
        {todo.length > 8 && (
          <li>
            <div>
              <a href="/failures">and {count(todo.length - 8)} more</a>
            </div>
          </li>
        )}
      </ol>
    )}
  </Panel>
)

/** `/`: is all well, and what must I do? */
export const overview = async (ask: Ask): Promise<View> => {
  const facts = await gather(ask)
  const { snapshot, current, tasks, todo, now } = facts
  const show = { running: 'Running', bad: 'Not good' }[ask.query.get('show') ?? ''] ?? 'All'
  const hosts = new Set(current.map(({ host }) => host)).size
  const blocks: Block[] = [{ id: 'b-tiles', body: <Tiles facts={facts} /> }]
  if (snapshot && snapshot.map.last > 0 && !isUnknown(snapshot))
    blocks.push({
      id: 'b-runs',
      body: (
        <Panel
          title="Run records"
          id="rr"
          sub={`run numbers ${count(snapshot.map.first)} to ${count(snapshot.map.last)}; a failed run always keeps its mark`}
          aside={
            <a class="btn" href="/runs">
              Open the map
            </a>
          }
        >
          <BandBox snapshot={snapshot} newest />
          <div class="two-l">
            <Legend snapshot={snapshot} />
            <Marks snapshot={snapshot} />
          </div>
        </Panel>
      ),
    })
  blocks.push(
    {
      id: 'b-now',
      body: (
        <div class="cols rev">
          <TodoPanel todo={todo} snapshot={snapshot} />
          <Panel
            title="Running now"
            id="now"
            sub={
              current.length === 0
                ? undefined
                : `${plural(current.length, 'execution')} on ${plural(hosts, 'host')}`
            }
            cls="grow"
          >
            <RunningList current={current} now={now} />
          </Panel>
        </div>
      ),
    },
    {
      id: 'b-tasks',
      body: (
        <Panel
          title="Pipelines"
          id="pipes"
          sub="last 30 executions: height is duration, a mark on top is an end that was not good"
          aside={
            <Choice
              label="Filter"
              current={show}
              items={[
                ['All', '/'],
                ['Running', '/?show=running'],
                ['Not good', '/?show=bad'],
              ]}
            />
          }
        >
          <TaskTable tasks={tasks} now={now} show={show} />
        </Panel>
      ),
    },
  )
  return { key: 'overview', title: 'Overview', say: overviewSentence(facts), blocks, live: true }
}
