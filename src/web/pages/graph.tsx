import { Bar } from '../components/bars.tsx'
import { Dag } from '../components/dag.tsx'
import { Chip } from '../components/glyph.tsx'
import { Choice, Cmd, Empty, Exports, Panel, Time } from '../components/parts.tsx'
import type { GraphFacts, GraphLine } from '../models/graph.ts'
import { share, span } from '../text.ts'
import type { Ask, View } from '../view.ts'

const queryOf = (pipeline: string): string =>
  pipeline === '' ? '' : `?pipeline=${encodeURIComponent(pipeline)}`

/** `/graph`: when is it done, and what holds it up? */
export const graphPage = async ({ sources, query, now }: Ask): Promise<View> => {
  const pipeline = query.get('pipeline') ?? ''
  const facts = await sources.ledger?.graph?.(pipeline === '' ? undefined : pipeline)
  if (!facts || facts.tasks.length === 0)
    return {
      key: 'graph',
      title: 'Dependencies',
      say: facts ? emptyText(pipeline) : 'No ledger is configured: no task is registered.',
      blocks: facts ? [{ id: 'b-none', body: <Nothing pipeline={pipeline} /> }] : [],
      live: facts !== undefined,
    }
  return {
    key: 'graph',
    title: 'Dependencies',
    say: sentence(facts, pipeline, now),
    aside: facts.pipelines.length > 1 && (
      <Choice
        label="Pipeline"
        current={pipeline === '' ? 'All' : pipeline}
        items={[
          ...facts.pipelines.map((one) => [one, `/graph${queryOf(one)}`] as const),
          ['All', '/graph'] as const,
        ]}
      />
    ),
    blocks: [
      {
        id: 'b-dag',
        body: (
          <Panel
            title="Critical path"
            id="dag"
            sub="thick: the longest chain by median time; nothing else can end it sooner"
            aside={<Exports api={`/api/v1/graph${queryOf(pipeline)}`} />}
          >
            <Dag facts={facts} />
          </Panel>
        ),
      },
      {
        id: 'b-numbers',
        body: (
          <div class="cols even">
            <Panel title="Predicted completion" id="pred" sub="from the medians and what runs now">
              <Predictions tasks={facts.tasks} now={now} />
            </Panel>
            <Panel title="Critical path in numbers" id="cpn" sub={`${span(facts.seconds)} by medians`}>
              <Path facts={facts} />
            </Panel>
          </div>
        ),
      },
    ],
    live: true,
  }
}

const emptyText = (pipeline: string): string =>
  pipeline === ''
    ? 'No task depends on another one.'
    : `No task of the pipeline "${pipeline}" depends on another one.`

const Nothing = ({ pipeline }: { pipeline: string }) => (
  <Panel id="none">
    <Empty what={emptyText(pipeline)} sub="Register what a task depends on:">
      <Cmd c="run-archiver track task NAME --depends-on OTHER" />
      {pipeline !== '' && (
        <a class="btn" href="/graph">
          All pipelines
        </a>
      )}
    </Empty>
  </Panel>
)

const sentence = (facts: GraphFacts, pipeline: string, now: number) => {
  const { loop, bottleneck, seconds, tasks } = facts
  if (loop) return `These tasks depend on each other: ${loop.join(' → ')}. Such a graph has no end.`
  const what = pipeline === '' ? 'The whole' : `The pipeline ${pipeline}`
  const open = tasks.filter(({ isDone }) => !isDone)
  const unknown = open.filter(({ ends }) => ends === undefined)
  const last = Math.max(0, ...tasks.map(({ ends }) => ends ?? 0))
  const p50 = tasks.find(({ task }) => task === bottleneck)?.p50 ?? 0
  return (
    <>
      {open.length === 0 ? (
        <>
          {what} was done at <Time at={last} now={now} />.
        </>
      ) : unknown.length > 0 ? (
        <>
          Nobody can say when {pipeline === '' ? 'the whole' : `the pipeline ${pipeline}`} is done:{' '}
          <b>{unknown[0]?.task}</b> ({unknown[0]?.why}).
        </>
      ) : (
        <>
          {what} is done about{' '}
          <b class="num">
            <Time at={last} now={now} />
          </b>
          , by the medians.
        </>
      )}{' '}
      {bottleneck !== undefined && seconds > 0 && (
        <>
          <b>{bottleneck} is the bottleneck</b>: {share(p50, seconds)} % of the critical path.
        </>
      )}
    </>
  )
}

const Predictions = ({ tasks, now }: { tasks: readonly GraphLine[]; now: number }) => {
  const open = tasks.filter(({ isDone }) => !isDone)
  if (open.length === 0) return <Empty what="Every task has ended since what it depends on." />
  const time = (at: number | undefined) => (at === undefined ? '?' : <Time at={at} now={now} />)
  return (
    <div class="scroll">
      <table class="tb">
        <thead>
          <tr>
            <th>Task</th>
            <th>State</th>
            <th class="r opt">Begins</th>
            <th class="r">Ends</th>
            <th class="r opt">p25 to p75</th>
          </tr>
        </thead>
        <tbody>
          {open.map(({ task, standing, begins, ends, low, high, why }) => (
            <tr>
              <th scope="row">{task}</th>
              <td>
                <Chip s={standing} />
              </td>
              <td class="r num opt nw">{time(begins)}</td>
              <td class="r num nw">{time(ends)}</td>
              <td class="r num opt sub">
                {why ?? (
                  <>
                    {time(low)} – {time(high)}
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const Path = ({ facts: { tasks, critical, seconds, bottleneck } }: { facts: GraphFacts }) => {
  const beside = tasks
    .filter(({ slack }) => slack !== undefined && slack > 0)
    .sort((a, b) => (a.slack ?? 0) - (b.slack ?? 0))
  return (
    <>
      <table class="tb">
        <thead>
          <tr>
            <th>Task</th>
            <th class="w opt">Share</th>
            <th class="r">p50</th>
            <th class="r opt">In half the time</th>
          </tr>
        </thead>
        <tbody>
          {critical.map((name) => {
            const p50 = tasks.find(({ task }) => task === name)?.p50
            const part = p50 === undefined || seconds === 0 ? undefined : (p50 / seconds) * 100
            const hot = name === bottleneck
            return (
              <tr class={hot ? 'hot' : undefined}>
                <th scope="row">{name}</th>
                <td class="w opt">
                  <Bar
                    value={part}
                    label={p50 === undefined ? 'no median yet' : `${share(p50, seconds)} %`}
                    kind={hot ? 'share hotb' : 'share'}
                  />
                </td>
                <td class="r num nw">{p50 === undefined ? 'no median' : span(p50)}</td>
                <td class="r num sub nw opt">{p50 === undefined ? '' : `${span(p50 / 2)} sooner`}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
      {beside.length > 0 && (
        <p class="sub">
          Slack beside it: {beside.map(({ task, slack }) => `${task} ${span(slack ?? 0)}`).join(', ')}.
        </p>
      )}
    </>
  )
}
