import { Pair } from '../components/bars.tsx'
import { Context, Events, FailedRuns, Failure, StopDialog } from '../components/execution-parts.tsx'
import { Chip, WORDS } from '../components/glyph.tsx'
import { Log } from '../components/log.tsx'
import { Panel } from '../components/parts.tsx'
import { Resources } from '../components/resources.tsx'
import { Eta, overallText, partText, shares } from '../components/running.tsx'
import { Steps } from '../components/steps.tsx'
import { Problem } from '../api/question.ts'
import { type LogTail, tailLog } from '../log-file.ts'
import { type StepPlan, stepPlan } from '../step-plan.ts'
import type { ExecutionDetail, Metric } from '../model.ts'
import { count, plural, size, span } from '../text.ts'
import type { Ask, Block, View } from '../view.ts'

/** Milliseconds for which the log of an execution that ended is still followed. */
const LAST_LINES = 60_000

const isOpen = ({ endedAt }: ExecutionDetail): boolean => endedAt === undefined

const lead = (eta: ExecutionDetail['eta']): string => {
  if (!eta) return ''
  return eta.covers === 'subtask' ? ',' : ', ends'
}

const sentence = (execution: ExecutionDetail, now: number) => {
  const { standing, startedAt, endedAt, exitCode, status } = execution
  const took = span(((endedAt ?? now) - startedAt) / 1000)
  const chip = <Chip s={standing} word={WORDS[standing]} title={status} big />
  if (endedAt === undefined)
    return (
      <>
        {chip} for <b class="num">{took}</b>
        {standing === 'running' && lead(execution.eta)} <Eta execution={execution} now={now} />
      </>
    )
  return (
    <>
      {chip} after <b class="num">{took}</b>
      {exitCode === undefined ? '' : ` with exit code ${exitCode}`}
      {execution.failed > 0 ? `; ${plural(execution.failed, 'item')} failed` : ''}
    </>
  )
}

const Facts = ({ execution, now }: { execution: ExecutionDetail; now: number }) => {
  const { attempted, failed, bytes, startedAt, endedAt, heartbeatAt } = execution
  const minutes = ((endedAt ?? now) - startedAt) / 60_000
  const facts: (readonly [string, string])[] = [
    // Of what nobody counted, none succeeded and none failed would be made up.
    ['Succeeded', attempted === 0 ? '–' : count(attempted - failed)],
    ['Failed', attempted === 0 && failed === 0 ? '–' : count(failed)],
    ['Items', attempted === 0 ? '–' : count(attempted)],
    ['Rate', attempted === 0 || minutes < 0.05 ? '–' : `${(attempted / minutes).toFixed(1)}/min`],
    ['Moved', bytes === 0 ? '–' : size(bytes)],
    [
      'Heartbeat',
      heartbeatAt === undefined
        ? '–'
        : isOpen(execution)
          ? now - heartbeatAt < 1500
            ? 'just now'
            : `${span((now - heartbeatAt) / 1000)} ago`
          : 'ended',
    ],
  ]
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd class={name === 'Failed' && failed > 0 ? 'num bad' : 'num'}>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Its subtasks on one axis of time. */
const stepsBlock = (execution: ExecutionDetail, plan: StepPlan | undefined, now: number): Block => ({
  id: 'b-steps',
  body: (
    <Panel
      title="Subtasks"
      id="steps"
      sub={plan ? 'dashed: expected by the medians of the newest 20 good executions' : 'on one axis of time'}
    >
      <Steps execution={execution} plan={plan} now={now} />
    </Panel>
  ),
})

/** The end of its log beside what its process used. */
const logBlock = (
  execution: ExecutionDetail,
  log: LogTail,
  metrics: readonly Metric[],
  query: URLSearchParams,
): Block => ({
  id: 'b-log',
  body: (
    <div class="cols full">
      <Panel title="Log" id="lg" sub={execution.logPath}>
        <Log
          log={log}
          id={execution.id}
          live={isOpen(execution)}
          level={query.get('level') ?? ''}
          find={query.get('q') ?? ''}
        />
      </Panel>
      <Panel title="Resources" id="res" sub="of its process">
        <Resources metrics={metrics} />
      </Panel>
    </div>
  ),
})

/** `/executions/ID`: how far is it, and how long yet? */
export const executionPage = async (id: string, ask: Ask): Promise<View> => {
  const { sources, now, query } = ask
  const execution = await sources.ledger?.execution(id)
  if (!execution || !sources.ledger)
    throw new Problem(404, 'NOT_FOUND', `The ledger has no execution "${id}".`)
  const open = isOpen(execution)
  const bad = !open && !['ok', 'partial', 'skipped'].includes(execution.standing)
  const [metrics, times, log] = await Promise.all([
    sources.ledger.metrics(execution.id),
    open ? (sources.ledger.steps?.(execution.task) ?? []) : [],
    tailLog(execution, sources, open ? 50 : bad ? 200 : 100),
  ])
  const plan = stepPlan(execution, times, now)
  const blocks: Block[] = []
  if (bad || execution.error !== undefined)
    blocks.push({ id: 'b-err', body: <Failure execution={execution} /> })
  const progress: Block = {
    id: 'b-progress',
    body: (
      <Panel id="prog" cls="hero">
        <Pair
          standing={execution.standing}
          {...shares(execution)}
          overallText={`Overall: ${overallText(execution)}`}
          partText={`Current subtask: ${partText(execution, now)}`}
        />
        <Facts execution={execution} now={now} />
      </Panel>
    ),
  }
  const steps = stepsBlock(execution, plan, now)
  const logs = logBlock(execution, log, metrics, query)
  // Of what ended badly the log comes first, behind its error.
  blocks.push(...(bad ? [logs, progress] : [progress]))
  if (open || execution.parts.length > 0) blocks.push(steps)
  if (!bad) blocks.push(logs)
  if (execution.failedRuns.length > 0)
    blocks.push({ id: 'b-failed', body: <FailedRuns runs={execution.failedRuns} /> })
  blocks.push({
    id: 'b-context',
    body: (
      <div class="cols even">
        <Panel title="Context" id="cx">
          <Context execution={execution} now={now} />
        </Panel>
        <Panel title="Events" id="ev">
          <Events execution={execution} now={now} />
        </Panel>
      </div>
    ),
  })
  return {
    key: 'history',
    title: `${execution.task} #${execution.id}`,
    crumbs: (
      <>
        <a href="/history">History</a> /{' '}
        <a href={`/history?task=${encodeURIComponent(execution.task)}`}>{execution.task}</a>
      </>
    ),
    say: sentence(execution, now),
    aside: open && (
      <button class="btn js-only" type="button" data-dialog="stop">
        Stop…
      </button>
    ),
    blocks,
    dialogs: open && <StopDialog execution={execution} ask={ask} />,
    live: true,
    // The last lines come when it has ended already.
    log: open || now - (execution.endedAt ?? 0) < LAST_LINES ? execution : undefined,
  }
}
