import { Claims, Instances, perMinute, rateText, Work } from '../components/instance-tables.tsx'
import { Cmd, Empty, Exports, Notice, Panel, Time } from '../components/parts.tsx'
import type { StageCounts } from '../../engine/claim-store.ts'
import type { BacklogOverview } from '../../engine/backlog-overview.ts'
import { count, plural } from '../text.ts'
import type { Ask, View } from '../view.ts'

/** `/instances`: do they help each other? Everything is by the clock of the store that they share. */
export const instancesPage = async ({ sources, now: local }: Ask): Promise<View> => {
  const facts = await sources.backlog?.()
  if (!facts)
    return {
      key: 'instances',
      title: 'Instances',
      say: 'No queue is configured: one process does all of the work.',
      blocks: [
        {
          id: 'b-none',
          body: (
            <Panel id="none">
              <Empty
                what="queue.url is off."
                sub="docs/SEVERAL_WORKERS.md says when several processes help, and how."
              />
            </Panel>
          ),
        },
      ],
      live: false,
    }
  const config = sources.runs?.config ?? 'config.yaml'
  const { at: now, instances, stages, overloaded } = facts
  return {
    key: 'instances',
    title: 'Instances',
    say: sentence(facts),
    blocks: [
      ...(overloaded.length === 0
        ? []
        : [{ id: 'b-overloaded', body: <Overloaded sentences={overloaded} /> }]),
      ...stages
        .filter(({ paused, blockedUntil }) => paused || (blockedUntil !== undefined && blockedUntil > now))
        .map((stage) => ({
          id: `b-held-${stage.stage}`,
          body: <Held stage={stage} config={config} now={local} />,
        })),
      {
        id: 'b-instances',
        body: (
          <Panel
            title="Working together"
            id="in"
            sub="running ones first; those that ended are kept for a while"
            aside={<Exports api="/api/v1/instances" />}
          >
            {instances.length === 0 ? (
              <Empty what="No instance has worked on the queue yet.">
                <Cmd c={`run-archiver worker --config ${config}`} />
              </Empty>
            ) : (
              <Instances instances={instances} local={local} />
            )}
          </Panel>
        ),
      },
      {
        id: 'b-work',
        body: (
          <div class="cols even">
            <Panel
              title="Claims"
              id="cl"
              sub="in hand now, the oldest first"
              aside={<Exports api="/api/v1/claims" />}
            >
              <Claims instances={instances} now={now} local={local} />
            </Panel>
            <Panel title="Work" id="wk" sub="of the queue, by stage">
              <Work facts={facts} />
            </Panel>
          </div>
        ),
      },
    ],
    live: true,
  }
}

const sentence = (facts: BacklogOverview) => {
  const { instances, stages } = facts
  const running = instances.filter(({ status }) => status === 'running')
  const lost = instances.filter(({ status }) => status === 'lost')
  const held = lost.reduce((sum, one) => sum + one.held, 0)
  const left = stages.reduce((sum, one) => sum + one.pending + one.claimed, 0)
  const rate = perMinute(facts)
  return (
    <>
      {running.length === 0 ? (
        <b>No instance works</b>
      ) : (
        <b>{plural(running.length, 'instance works', 'instances work')}</b>
      )}
      {running.length > 0 && rate > 0 && `, together ${rateText(rate)} items a minute`}.{' '}
      {left === 0 ? 'Nothing is left to do.' : `${plural(left, 'item')} left.`}{' '}
      {lost.length > 0 && (
        <>
          <b>{lost.length === 1 ? `${lost[0]?.id ?? ''} is lost` : `${count(lost.length)} are lost`}</b>
          {held > 0 ? `, and still holds ${plural(held, 'claim')}.` : '; nothing is left in its hands.'}
        </>
      )}
    </>
  )
}

const Overloaded = ({ sentences }: { sentences: readonly string[] }) => (
  <Notice kind="w">
    <b>{sentences.join('. ')}.</b> Such instances only wait for each other: stop one, or give it fewer
    workers.
  </Notice>
)

const Held = ({ stage, config, now }: { stage: StageCounts; config: string; now: number }) => (
  <Notice kind="w">
    {stage.paused ? (
      <>
        <b>The stage {stage.stage} is paused.</b> Nothing new is claimed. It goes on with{' '}
        <Cmd c={`run-archiver queue resume ${stage.stage} --config ${config}`} />
      </>
    ) : (
      <>
        <b>
          The stage {stage.stage} waits until <Time at={stage.blockedUntil ?? now} now={now} />.
        </b>{' '}
        {stage.blockedReason}
      </>
    )}
  </Notice>
)
