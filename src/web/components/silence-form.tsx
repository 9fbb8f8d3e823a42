import type { AlertsFacts } from '../models/alerts.ts'
import type { Ask } from '../view.ts'
import { Cmd, Panel, Select, Time } from './parts.tsx'

const TIMES: readonly (readonly [string, string])[] = [
  ['1', 'in 1 hour'],
  ['8', 'in 8 hours'],
  ['24', 'in 1 day'],
  ['168', 'in 7 days'],
]

/** Silences that hold, and a form that makes one. It works without script; without the token it shows the command alone. */
export const SilenceForm = ({ facts, ask }: { facts: AlertsFacts; ask: Ask }) => {
  const { sources, now, mayAct, hasToken } = ask
  const config = sources.runs?.config
  const choices = [
    ...facts.firing.map(({ rule, subject }) => [`${rule}|${subject}`, `${rule}: ${subject}`] as const),
    ...facts.rules.map(({ rule }) => [`${rule}|*`, `${rule}: all`] as const),
  ]
  return (
    <Panel
      title="Silence"
      id="sil"
      sub="a silenced alert is recorded, and sent only if it still fires when the silence ends"
    >
      {facts.silences.length > 0 && (
        <ul class="plain">
          {facts.silences.map(({ rule, subject, until, why, by }) => (
            <li>
              <b>{rule}</b> of {subject === '*' ? 'everything' : subject} until <Time at={until} now={now} />
              {why !== undefined && `: ${why}`}
              {by !== undefined && <span class="sub"> ({by})</span>}
            </li>
          ))}
        </ul>
      )}
      {mayAct ? (
        <form method="post" action="/actions/silence" class="filters">
          <Select label="Alert" name="alert" current="" options={choices} />
          <Select label="Until" name="hours" current="1" options={TIMES} />
          <label class="fld grow">
            <span>Why</span>
            <input name="why" required maxlength={200} />
          </label>
          <button class="btn pri">Silence</button>
        </form>
      ) : (
        <p class="sub">Read only. {hasToken ? <a href="/login">Sign in</a> : 'Use the command.'}</p>
      )}
      {config !== undefined && (
        <Cmd c={`run-archiver alerts silence RULE --subject TASK --for 1h --reason WHY --config ${config}`} />
      )}
    </Panel>
  )
}
