import { itemTitle, keysText } from '../../common/item-keys.ts'
import { messageOf } from '../../errors.ts'
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
  readonly #stages = new Map<string, StageTrouble>()

  readonly listener: Listener = (event: EngineEvent) => {
    const stage = this.#of(event.stage)
    if (event.type === 'item-done') stage.attempted += 1
    if (event.type === 'item-failed') {
      stage.attempted += 1
      stage.failed.push({ key: event.key, error: messageOf(event.error) })
    }
    if (event.type === 'pass-stopped' && event.reason !== 'signal')
      stage.stopped = event.error === undefined ? event.reason : messageOf(event.error)
  }

  /** A stage could not even begin: the engine has told nothing of it. */
  unbegun(stage: string, error: Error): void {
    this.#of(stage).stopped ??= messageOf(error)
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
              lines: [reason, 'Runs that were left stay pending and are taken by the next pass.'],
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
          `Try again with --retry-failed-${stage}`,
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

/** Executions that were found to have ended without a word. */
export const closedAlert = (closed: readonly Closed[]): Alert => ({
  key: `closed:${closed.map(({ runId }) => runId).join(',')}`.slice(0, 300),
  severity: 'critical',
  title: `An execution ended without saying so: ${[...new Set(closed.map(({ status }) => status))].join(', ')}`,
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

/** Nothing has succeeded for `hours`; `last` is when something did, epoch milliseconds. Undefined while that is not so long ago. */
export const staleAlert = (last: number | undefined, now: number, hours: number): Alert | undefined => {
  if (hours === 0 || last === undefined || now - last < hours * 3_600_000) return undefined
  return {
    key: 'stale',
    severity: 'critical',
    title: `No pass has succeeded for ${Math.floor((now - last) / 3_600_000)} hours`,
    lines: [`The last one that did ended at ${new Date(last).toISOString()}.`],
  }
}
