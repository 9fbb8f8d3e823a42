import type { AlertRule, AlertsFacts, FiringAlert, SentAlert } from '../models/alerts.ts'
import type { Standing } from '../model.ts'
import { plural } from '../text.ts'
import { Dots } from './day-dots.tsx'
import { Chip, Glyph } from './glyph.tsx'
import { Empty, Time } from './parts.tsx'

/** The shape of what fires, by rule; every other rule has the shape of a failure. */
const SHAPES: Readonly<Record<string, Standing>> = {
  hung: 'hung',
  late: 'late',
  duration: 'late',
  throttled: 'throttled',
  partial: 'partial',
  kills: 'killed',
  reboot: 'reboot',
  terminated: 'terminated',
  lost: 'terminated',
}
const shapeOf = (rule: string): Standing => SHAPES[rule] ?? 'failed'
const word = (rule: string): string => `${rule.charAt(0).toUpperCase()}${rule.slice(1)}`.replaceAll('_', ' ')

/** What fires now, each with what was sent of it. */
export const Firing = ({ facts: { firing }, now }: { facts: AlertsFacts; now: number }) =>
  firing.length === 0 ? (
    <Empty what="Nothing is wrong by any rule." />
  ) : (
    <table class="tb">
      <thead>
        <tr>
          <th>Alert</th>
          <th>Since</th>
          <th class="opt">What</th>
          <th>Sent</th>
        </tr>
      </thead>
      <tbody>
        {firing.map((alert) => (
          <tr class={alert.silence ? 'mute' : undefined}>
            <th scope="row">
              <Chip
                s={alert.silence ? 'silenced' : shapeOf(alert.rule)}
                word={alert.silence ? undefined : word(alert.rule)}
                title={alert.severity}
              />{' '}
              <a href={hrefOf(alert)}>{alert.subject}</a>
            </th>
            <td class="num nw">
              {alert.since === undefined ? (
                <span class="sub">found now</span>
              ) : (
                <Time at={alert.since} now={now} />
              )}
            </td>
            <td class="opt sub">
              {alert.title}. {alert.detail}
            </td>
            <td class="nw">
              {alert.silence ? (
                <span class="sub">
                  not before <Time at={alert.silence.until} now={now} />
                  {alert.silence.why !== undefined && `: ${alert.silence.why}`}
                </span>
              ) : alert.sentAt === undefined ? (
                'not yet'
              ) : (
                <Time at={alert.sentAt} now={now} />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )

/** Rules whose subject is no task: of a stage or a path, and of the backlog. */
const OF_RUNS: readonly string[] = ['failure_log', 'gap', 'distance', 'backlog_growing', 'disk', 'log_size']
const OF_BACKLOG: readonly string[] = ['instance_lost', 'fenced', 'poison']

/** The page that has more of what fires. */
export const hrefOf = ({ rule, subject }: Pick<FiringAlert, 'rule' | 'subject'>): string => {
  if (OF_RUNS.includes(rule)) return '/runs'
  if (OF_BACKLOG.includes(rule)) return '/instances'
  if (rule === 'damaged') return `/runs/${/^run (\d+)$/.exec(subject)?.[1] ?? ''}`.replace(/\/$/, '')
  if (rule === 'finished') return `/executions/${encodeURIComponent(subject)}`
  return `/history?task=${encodeURIComponent(subject)}`
}

/** Every rule, and on which days it fired. */
export const Rules = ({ rules }: { rules: readonly AlertRule[] }) => (
  <table class="tb">
    <thead>
      <tr>
        <th>Rule</th>
        <th class="opt">Fires</th>
        <th>State</th>
        <th class="w opt">Began, 30 days</th>
      </tr>
    </thead>
    <tbody>
      {rules.map(({ rule, threshold, isOff, firing, silence, days }) => (
        <tr>
          <th scope="row">{word(rule)}</th>
          <td class="opt sub">{threshold}</td>
          <td class="nw">
            {silence ? (
              <Chip s="silenced" />
            ) : firing > 0 ? (
              <Chip s={shapeOf(rule)} word={firing === 1 ? 'Firing' : `Firing, ${firing} times`} />
            ) : isOff ? (
              <Chip s="none" word="Off" />
            ) : (
              <Chip s="ok" word="Quiet" />
            )}
          </td>
          <td class="w opt">
            <Dots days={days} />
          </td>
        </tr>
      ))}
    </tbody>
  </table>
)

/** What was sent, the newest first. */
export const Sent = ({ sent, now }: { sent: readonly SentAlert[]; now: number }) =>
  sent.length === 0 ? (
    <Empty what="Nothing was sent yet." />
  ) : (
    <table class="tb">
      <thead>
        <tr>
          <th>When</th>
          <th>Message</th>
          <th class="opt">By</th>
          <th>Since then</th>
        </tr>
      </thead>
      <tbody>
        {sent.map(({ at, title, by, resolvedAt, held }) => (
          <tr>
            <td class="num nw">
              <Time at={at} now={now} />
            </td>
            <th scope="row">{title}</th>
            <td class="opt sub">{by === 'check' ? 'alerts check' : 'a pass'}</td>
            <td class="sub nw">
              {resolvedAt !== undefined && (
                <>
                  <Glyph s="ok" label="resolved" /> resolved <Time at={resolvedAt} now={now} />
                </>
              )}
              {held > 0 && `${plural(held, 'equal one')} held back`}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
