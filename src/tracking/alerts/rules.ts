import { itemTitle, keysText } from '../../common/item-keys.ts'
import { passCommand, subcommand, type Started } from '../../common/own-command.ts'
import { messageWithCode } from '../../errors.ts'
import type { Closed } from '../ledger/close-dead.ts'
import type { EngineEvent, Listener } from '../../engine/stage.ts'
import type { Alert } from './alerts.ts'

/** Runs that one message names. */
const NAMED = 10

interface StageTrouble {
  readonly failed: { readonly key: string; readonly error: string }[]
  attempted: number
  stopped: string | undefined
}

/** Listens to a pass and says at its end what is wrong with it: one alert a pass for failed runs, one for each stage that was stopped. */
export class PassWatch {
  readonly #started: Started
  readonly #stages = new Map<string, StageTrouble>()

  /** `started`: how commands in the messages begin; the configuration's whole path, for messages are read elsewhere. */
  constructor(started: Started = { program: 'run-archiver', config: 'config.yaml' }) {
    this.#started = started
  }

  readonly listener: Listener = (event: EngineEvent) => {
    const stage = this.#of(event.stage)
    if (event.type === 'item-done') stage.attempted += 1
    if (event.type === 'item-failed') {
      stage.attempted += 1
      stage.failed.push({ key: event.key, error: messageWithCode(event.error) })
    }
    if (event.type === 'pass-stopped' && event.reason !== 'signal')
      stage.stopped = event.error === undefined ? event.reason : messageWithCode(event.error)
  }

  /** A stage could not even begin: the engine has reported nothing of it. */
  unbegun(stage: string, error: Error): void {
    this.#of(stage).stopped ??= messageWithCode(error)
  }

  alerts(): Alert[] {
    const stages = [...this.#stages]
    const stopped = stages.flatMap(([stage, { stopped: reason }]): Alert[] =>
      reason === undefined
        ? []
        : [
            {
              key: `stopped:${stage}`,
              severity: 'critical',
              title: `The ${stage} stage was stopped`,
              lines: [
                reason,
                'Runs that were left stay pending and are taken by the next pass.',
                `Look: ${subcommand(this.#started, 'config check')}`,
              ],
            },
          ],
    )
    const failed = stages.filter(([, trouble]) => trouble.failed.length > 0)
    if (failed.length === 0) return stopped
    const count = failed.reduce((sum, [, trouble]) => sum + trouble.failed.length, 0)
    return [
      {
        // Other runs are other news: the same ones again are not.
        key: `failed:${failed.map(([stage, trouble]) => `${stage} ${keysOf(trouble)}`).join(';')}`.slice(
          0,
          300,
        ),
        severity: 'warning',
        title: `${count} ${count === 1 ? 'run' : 'runs'} failed`,
        lines: failed.flatMap(([stage, trouble]) => [
          `${stage}: ${trouble.failed.length} of ${trouble.attempted} runs failed: ${keysOf({ ...trouble, failed: trouble.failed.slice(0, NAMED) })}${trouble.failed.length > NAMED ? ' and more' : ''}`,
          ...trouble.failed.slice(0, NAMED).map(({ key, error }) => `  ${itemTitle(stage, key)}: ${error}`),
          `Try again: ${passCommand(this.#started, `--retry-failed-${stage}`)}`,
        ]),
      },
      ...stopped,
    ]
  }

  #of(stage: string): StageTrouble {
    const known = this.#stages.get(stage)
    if (known) return known
    const fresh: StageTrouble = { failed: [], attempted: 0, stopped: undefined }
    this.#stages.set(stage, fresh)
    return fresh
  }
}

const keysOf = ({ failed }: StageTrouble): string => keysText(failed.map(({ key }) => key))

/** Executions that were found to have disappeared. */
export const closedAlert = (closed: readonly Closed[]): Alert => ({
  key: `closed:${closed.map(({ runId }) => runId).join(',')}`.slice(0, 300),
  severity: 'critical',
  title: `An execution disappeared: ${[...new Set(closed.map(({ status }) => status))].join(', ')}`,
  lines: closed.map(
    ({ pid, host, task, status, reason, attempted }) =>
      `${task} (PID ${pid} on ${host}) is ${status} after ${attempted} runs: ${reason}`,
  ),
})

/** A signal ended this execution. */
export const killedAlert = (signal: string, pid: number): Alert => ({
  key: `killed:${signal}`,
  severity: 'warning',
  title: `The archiver was stopped by ${signal}`,
  lines: [`Process terminated by ${signal} signal (PID: ${pid})`],
})

/** A state file was damaged; `kept` is where it is now. */
export const corruptAlert = (file: string, kept: string): Alert => ({
  key: `corrupt:${file}`,
  severity: 'critical',
  title: 'A state file was damaged',
  lines: [`${file} could not be read and is kept as ${kept}.`, 'State is rebuilt from the stores.'],
})

/** The scrub found damaged copies of archived runs: each with what was found. */
export const damagedAlert = (found: ReadonlyMap<number, string>): Alert => ({
  key: `damaged:${keysText([...found.keys()].map(String))}`.slice(0, 300),
  severity: 'critical',
  title: found.size === 1 ? 'An archived run is damaged' : `${found.size} archived runs are damaged`,
  lines: [
    ...[...found].slice(0, NAMED).map(([run, reason]) => `  run ${run}: ${reason}`),
    ...(found.size > NAMED ? [`  and ${found.size - NAMED} more`] : []),
    'Nothing was changed. run-archiver diff RUN shows which copy is damaged.',
  ],
})

/** What is known of the last success. Epoch milliseconds. */
export interface SuccessFacts {
  /** When a pass last succeeded; undefined when none ever did. */
  readonly last: number | undefined
  /** Since when passes have been tried; counts while none has succeeded. */
  readonly waitingSince: number
}

/** Clocks of machines that keep time differ by less. */
const CLOCK_SLACK = 600_000

/**
 * Nothing has succeeded for `hours`, or nobody can say: a success dated in the future, which a clock that was set back leaves, would
 * otherwise mute this alert until that time. Undefined while the last success, or the first try, is not so long ago.
 */
export const staleAlert = (
  { last, waitingSince }: SuccessFacts,
  now: number,
  hours: number,
): Alert | undefined => {
  if (hours === 0) return undefined
  const alert = (title: string, line: string): Alert => ({
    key: 'stale',
    severity: 'critical',
    title,
    lines: [line],
  })
  if (last !== undefined && last > now + CLOCK_SLACK)
    return alert(
      'No pass has succeeded since the clock was set back',
      `The last success is dated ${new Date(last).toISOString()}, which is in the future.`,
    )
  const since = last ?? waitingSince
  if (now - since < hours * 3_600_000) return undefined
  const passed = Math.floor((now - since) / 3_600_000)
  return last === undefined
    ? alert(
        `No pass has ever succeeded, for ${passed} hours`,
        `The first one ended at ${new Date(since).toISOString()}.`,
      )
    : alert(
        `No pass has succeeded for ${passed} hours`,
        `The last one that did ended at ${new Date(last).toISOString()}.`,
      )
}
