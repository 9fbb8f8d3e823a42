import type { ExecutionDetail, RunAttempt } from '../model.ts'
import { count, plural } from '../text.ts'
import { eventText } from '../event-text.ts'
import type { Ask } from '../view.ts'
import { Chip, Glyph, WORDS } from './glyph.tsx'
import { Cmd, Empty, Panel, Time } from './parts.tsx'

export const Failure = ({ execution }: { execution: ExecutionDetail }) => (
  <section class="panel error" id="err" aria-labelledby="err-h">
    <h2 id="err-h">
      <Glyph s={execution.standing} />
      {execution.error ?? `${WORDS[execution.standing]}: no message was left`}
    </h2>
    {execution.detail && <pre>{execution.detail}</pre>}
  </section>
)

export const Context = ({ execution, now }: { execution: ExecutionDetail; now: number }) => {
  const { runId, invocationId, environment, argv } = execution
  const rows: (readonly [string, unknown])[] = [
    ['Run id', <code>{runId}</code>],
    ['Stage, type', [execution.stage, execution.type].filter(Boolean).join(', ')],
    ['Host, process', `${execution.host}, ${execution.pid}`],
    ['User', execution.user],
    ['Started', <Time at={execution.startedAt} now={now} long />],
    ['Ended', execution.endedAt === undefined ? undefined : <Time at={execution.endedAt} now={now} long />],
    ['Version', [execution.version, execution.commit?.slice(0, 12)].filter(Boolean).join(', ')],
    ['Command', argv === undefined ? undefined : <code>{argv}</code>],
    [
      'Journal',
      invocationId === undefined ? undefined : (
        <Cmd c={`journalctl _SYSTEMD_INVOCATION_ID=${invocationId}`} />
      ),
    ],
    ['Environment', environment === undefined ? undefined : <code>{environment}</code>],
  ]
  return (
    <dl class="ctx">
      {rows
        .filter(([, value]) => value !== undefined && value !== '')
        .map(([name, value]) => (
          <div>
            <dt>{name}</dt>
            <dd>{value as string}</dd>
          </div>
        ))}
    </dl>
  )
}

export const Events = ({ execution, now }: { execution: ExecutionDetail; now: number }) =>
  execution.events.length === 0 ? (
    <Empty what="Nothing was noted." />
  ) : (
    <ol class="tl">
      {execution.events.map(({ at, kind, detail }) => (
        <li>
          <Time at={at} now={now} />
          <Glyph s={/fail|error|corrupt|gap/.test(kind) ? 'failed' : 'pending'} />
          <div>
            <b>{kind}</b>
            {detail && <p>{eventText(detail)}</p>}
          </div>
        </li>
      ))}
    </ol>
  )

export const FailedRuns = ({ runs }: { runs: readonly RunAttempt[] }) => (
  <Panel
    title="Not archived by it"
    id="fr"
    sub={`${plural(runs.length, 'item')}${runs.length === 100 ? ', the first hundred' : ''}`}
  >
    <div class="scroll">
      <table class="tb">
        <thead>
          <tr>
            <th>Run</th>
            <th>Stage</th>
            <th>State</th>
            <th class="opt">Why</th>
          </tr>
        </thead>
        <tbody>
          {runs.map(({ run, name, stage, standing, code, error }) => (
            <tr>
              <th scope="row" class="num">
                {run === undefined ? name : <a href={`/runs/${run}`}>{count(run)}</a>}
              </th>
              <td>{stage}</td>
              <td>
                <Chip s={standing} word={code} />
              </td>
              <td class="opt clip" title={error}>
                {error ?? ''}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </Panel>
)

export const StopDialog = ({ execution, ask }: { execution: ExecutionDetail; ask: Ask }) => (
  <dialog id="stop" aria-labelledby="stop-h">
    <h2 id="stop-h">
      Stop {execution.task} #{execution.id}?
    </h2>
    <p>It finishes what it has in hand, saves its state and ends. What is left stays for the next pass.</p>
    <form method="post" action={`/actions/cancel/${execution.id}`}>
      <label class="fld">
        <span>
          Type <code>{execution.id}</code> to confirm
        </span>
        <input name="confirm" autocomplete="off" required pattern={String(execution.id)} />
      </label>
      <div class="row">
        <button class="btn danger" disabled={!ask.mayAct}>
          Stop it
        </button>
      </div>
    </form>
    <p class="sub">The same on its host, {execution.host}:</p>
    <Cmd c={`kill -TERM ${execution.pid}`} />
    {!ask.mayAct && (
      <p class="sub">Read only. {ask.hasToken ? <a href="/login">Sign in</a> : 'Use the command above.'}</p>
    )}
    <form method="dialog">
      <button class="btn">Keep it running</button>
    </form>
  </dialog>
)
