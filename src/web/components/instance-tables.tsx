import type { BacklogOverview, InstanceOverview } from '../../engine/backlog-overview.ts'
import type { InstanceState } from '../../engine/claim-store.ts'
import type { Standing } from '../model.ts'
import { count, span } from '../text.ts'
import { Bar } from './bars.tsx'
import { Chip, Glyph } from './glyph.tsx'
import { Empty, Time } from './parts.tsx'

const STANDINGS: Readonly<Record<InstanceState['status'], Standing>> = {
  running: 'running',
  stopped: 'none',
  lost: 'terminated',
}
const STATE_WORDS: Readonly<Record<InstanceState['status'], string>> = {
  running: 'Running',
  stopped: 'Stopped',
  lost: 'Lost',
}

/** Items that all instances together finish in a minute. */
export const perMinute = ({ rate }: BacklogOverview): number => rate * 60

export const rateText = (rate: number): string => (rate < 10 ? rate.toFixed(1) : count(rate))

export const Instances = ({
  instances,
  local,
}: {
  instances: readonly InstanceOverview[]
  local: number
}) => (
  <table class="tb">
    <thead>
      <tr>
        <th>Instance</th>
        <th>State</th>
        <th class="r">Heartbeat</th>
        <th class="r opt">Claims</th>
        <th class="r opt">Workers</th>
        <th class="r">Done</th>
        <th class="r opt">A minute</th>
        <th class="r">Failed</th>
        <th class="r opt">Fenced</th>
        <th class="r opt">Recovered</th>
        <th class="opt">Started</th>
        <th class="opt opt2">Host, process</th>
      </tr>
    </thead>
    <tbody>
      {instances.slice(0, 100).map((one) => (
        <tr class={one.status === 'lost' ? 'hot' : undefined}>
          <th scope="row">
            {one.id}
            {one.leads && <span class="tag">leader</span>}
          </th>
          <td>
            <Chip s={STANDINGS[one.status]} word={STATE_WORDS[one.status]} />
          </td>
          <td class="r num nw">{one.status === 'running' ? span(one.silent / 1000) : '–'}</td>
          <td class="r num opt">{count(one.held)}</td>
          <td class="r num opt">{one.workers === 0 ? '–' : count(one.workers)}</td>
          <td class="r num">{count(one.done)}</td>
          <td class="r num opt">{one.status === 'running' ? rateText(one.rate * 60) : '–'}</td>
          <td class={`r num${one.failed > 0 ? ' bad' : ' zero'}`}>{count(one.failed)}</td>
          <td class={`r num opt${one.fenced > 0 ? '' : ' zero'}`}>{count(one.fenced)}</td>
          <td class={`r num opt${one.recovered > 0 ? '' : ' zero'}`}>{count(one.recovered)}</td>
          <td class="opt num nw">
            <Time at={one.startedAt} now={local} />
          </td>
          <td class="opt opt2 sub">
            {one.host}, {one.pid}
          </td>
        </tr>
      ))}
    </tbody>
  </table>
)

export const Claims = ({
  instances,
  now,
  local,
}: {
  instances: readonly InstanceOverview[]
  now: number
  local: number
}) => {
  const held = instances
    .flatMap(({ id, status, holding }) => holding.map((item) => ({ ...item, id, status })))
    .sort((a, b) => (a.since ?? now) - (b.since ?? now))
  if (held.length === 0) return <Empty what="Nothing is in hand." />
  return (
    <ol class="tl">
      {held.slice(0, 30).map(({ stage, key, since, id, status }) => (
        <li>
          <Time at={since ?? now} now={local} />
          <Glyph s={STANDINGS[status]} label={STATE_WORDS[status]} />
          <div>
            {stage} <b>{key}</b> by {id}
            {since !== undefined && <p class="sub">for {span((now - since) / 1000)}</p>}
          </div>
        </li>
      ))}
      {held.length > 30 && <li class="sub">and {count(held.length - 30)} more</li>}
    </ol>
  )
}

export const Work = ({ facts }: { facts: BacklogOverview }) => {
  const { stages } = facts
  if (stages.length === 0) return <Empty what="Nothing was put into the queue yet." />
  const rate = perMinute(facts)
  const left = stages.reduce((sum, one) => sum + one.pending + one.claimed, 0)
  return (
    <>
      <table class="tb">
        <thead>
          <tr>
            <th>Stage</th>
            <th class="w">Done or failed</th>
            <th class="r">Done</th>
            <th class="r">Failed</th>
            <th class="r opt">Claimed</th>
            <th class="r">Pending</th>
          </tr>
        </thead>
        <tbody>
          {stages.map(({ stage, pending, claimed, done, failed }) => {
            const all = pending + claimed + done + failed
            return (
              <tr>
                <th scope="row">{stage}</th>
                <td class="w">
                  <Bar
                    value={all === 0 ? undefined : ((done + failed) / all) * 100}
                    label={`${stage}: ${count(done + failed)} of ${count(all)}`}
                    kind={pending + claimed === 0 ? 'done' : ''}
                  />
                </td>
                <td class="r num">{count(done)}</td>
                <td class={`r num${failed > 0 ? ' bad' : ' zero'}`}>{count(failed)}</td>
                <td class="r num opt">{count(claimed)}</td>
                <td class="r num">{count(pending)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
      {left > 0 && rate > 0 && (
        <p class="sub">
          About {span((left / rate) * 60)} left, at the {rateText(rate)} a minute of the last minute.
        </p>
      )}
    </>
  )
}
