import { SilenceForm } from '../components/silence-form.tsx'
import { Actions } from '../components/actions.tsx'
import { Firing, Rules, Sent } from '../components/alert-tables.tsx'
import { Cmd, Exports, Panel, Time } from '../components/parts.tsx'
import type { AlertsFacts } from '../models/alerts.ts'
import { count, plural } from '../text.ts'
import type { Ask, View } from '../view.ts'

/** `/alerts`: what fires by the rules now, and what was sent of it to whom. */
export const alertsPage = async (ask: Ask): Promise<View> => {
  const { sources, now } = ask
  const facts = await sources.alerts?.()
  if (!facts)
    return {
      key: 'alerts',
      title: 'Alerts',
      say: 'No ledger is configured: alerts are not recorded.',
      blocks: [],
      live: false,
    }
  const config = sources.runs?.config
  const actions = (await sources.ledger?.actions?.()) ?? []
  return {
    key: 'alerts',
    title: 'Alerts',
    say: sentence(facts, now),
    blocks: [
      {
        id: 'b-firing',
        body: (
          <Panel title="Firing" id="fi" aside={<Exports api="/api/v1/alerts" />}>
            <Firing facts={facts} now={now} />
            {config !== undefined && facts.firing.some(({ since }) => since === undefined) && (
              <p class="sub">
                What is not recorded yet is recorded and sent by{' '}
                <Cmd c={`run-archiver alerts check --config ${config}`} />
              </p>
            )}
          </Panel>
        ),
      },
      {
        id: 'b-rules',
        body: (
          <Panel
            title="Rules"
            id="ru"
            sub={`${plural(facts.rules.length, 'rule')}, looked at by this page, recorded and sent by alerts check${channelsText(facts)}`}
          >
            <Rules rules={facts.rules} />
          </Panel>
        ),
      },
      {
        id: 'b-sent',
        body: (
          <Panel title="Sent" id="se" sub="the newest 20 that a channel took">
            <Sent sent={facts.sent} now={now} />
          </Panel>
        ),
      },
      {
        id: 'b-actions',
        body: (
          <Panel
            title="Done on this page"
            id="done"
            sub="by who had the token; the newest fifty"
            aside={<Exports api="/api/v1/actions" />}
          >
            <Actions actions={actions} now={now} />
          </Panel>
        ),
      },
      { id: 'b-silence', body: <SilenceForm facts={facts} ask={ask} /> },
    ],
    live: true,
  }
}

const channelsText = ({ channels }: AlertsFacts): string =>
  channels === undefined
    ? ''
    : channels.length === 0
      ? '; no channel is turned on'
      : ` to ${channels.join(', ')}`

const sentence = ({ firing, sent, channels }: AlertsFacts, now: number) => {
  const loud = firing.filter(({ silence }) => !silence)
  const quiet = firing.length - loud.length
  const [last] = sent
  return (
    <>
      {loud.length === 0 ? 'No alert fires' : <b>{plural(loud.length, 'alert fires', 'alerts fire')}</b>}
      {quiet > 0 && `, ${count(quiet)} ${quiet === 1 ? 'is' : 'are'} silenced`}.{' '}
      {last ? (
        <>
          The last message went out at <Time at={last.at} now={now} />, and a channel took it.
        </>
      ) : channels?.length === 0 ? (
        'No channel is turned on: nobody is notified.'
      ) : (
        'No message was sent yet.'
      )}
    </>
  )
}
