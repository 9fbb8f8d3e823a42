import { itemTitle, keysText, withoutTitle } from '../../common/item-keys.ts'
import { passCommand, subcommand, type Started } from '../../common/own-command.ts'
import { messageWithCode } from '../../errors.ts'
import type { Closed } from '../ledger/close-dead.ts'
import type { EngineEvent, Listener } from '../../engine/stage.ts'
import type { Alert, IsSilent } from './alerts.ts'
import type { RuleSettings } from './rule-settings.ts'

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
  readonly #task: string
  readonly #stages = new Map<string, StageTrouble>()

  /** `started`: how commands in the messages begin; the configuration's whole path, for messages are read elsewhere. */
  constructor(task: string, started: Started = { program: 'run-archiver', config: 'config.yaml' }) {
    this.#task = task
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
              rule: { name: 'failed', subject: this.#task },
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
        // As the ledger has it: failed runs make an execution partial, a stopped stage makes it failed.
        rule: { name: 'partial', subject: this.#task },
        severity: 'warning',
        title: `${count} ${count === 1 ? 'run' : 'runs'} failed`,
        lines: failed.flatMap(([stage, trouble]) => [
          `${stage}: ${trouble.failed.length} of ${trouble.attempted} runs failed: ${keysOf({ ...trouble, failed: trouble.failed.slice(0, NAMED) })}${trouble.failed.length > NAMED ? ' and more' : ''}`,
          ...trouble.failed
            .slice(0, NAMED)
            .map(({ key, error }) => `  ${itemTitle(stage, key)}: ${withoutTitle(stage, key, error)}`),
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

/** At least one. */
type Some<Item> = readonly [Item, ...Item[]]

/** Items with the same key together, each group where its first item stood. */
const groupsOf = <Item>(items: Iterable<Item>, keyOf: (item: Item) => string): Some<Item>[] => {
  const groups = new Map<string, [Item, ...Item[]]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return [...groups.values()]
}

/** Executions that were found to have disappeared: one alert for each task and status, since a site chooses by them. */
export const closedAlerts = (closed: readonly Closed[]): Alert[] =>
  groupsOf(closed, ({ status, task }) => `${status} ${task}`).map(closedAlert)

const closedAlert = (closed: Some<Closed>): Alert => ({
  key: `closed:${closed.map(({ runId }) => runId).join(',')}`.slice(0, 300),
  rule: {
    name: closed[0].status === 'SYSTEM_REBOOT' ? 'reboot' : 'terminated',
    subject: closed[0].task,
    count: closed.length,
  },
  severity: 'critical',
  title: `An execution disappeared: ${closed[0].status}`,
  lines: closed.map(
    ({ pid, host, task, status, reason, attempted }) =>
      `${task} (PID ${pid} on ${host}) is ${status} after ${attempted} runs: ${reason}`,
  ),
})

/** A signal ended this execution of a task. */
export const killedAlert = (task: string, signal: string, pid: number): Alert => ({
  key: `killed:${signal}`,
  rule: { name: 'kills', subject: task, count: 1 },
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

/** The scrub found damaged copies of archived runs, each with what was found: one alert for all runs of which the site chose the same. */
export const damagedAlerts = (found: ReadonlyMap<number, string>, rules: RuleSettings): Alert[] =>
  groupsOf(found, ([run]) => choicesFor(rules, run)).map(damagedAlert)

/** Without the runs whose damage is silenced. */
export const unsilenced = (found: ReadonlyMap<number, string>, isSilent: IsSilent): Map<number, string> =>
  new Map([...found].filter(([run]) => !isSilent({ name: 'damaged', subject: damagedRun(run) })))

/** What the site chose for the damage of a run; the same text for the same choices. */
const choicesFor = (rules: RuleSettings, run: number): string => {
  const subject = damagedRun(run)
  return JSON.stringify([
    rules.isOn('damaged', subject),
    rules.severity('damaged', subject),
    rules.channels('damaged', subject),
  ])
}

/** The subject of `damaged`, as `alerts check` has it. */
const damagedRun = (run: number): string => `run ${run}`

const damagedAlert = (found: Some<readonly [run: number, reason: string]>): Alert => ({
  key: `damaged:${keysText(found.map(([run]) => String(run)))}`.slice(0, 300),
  // Any run of these: the site chose the same for all.
  rule: { name: 'damaged', subject: damagedRun(found[0][0]) },
  severity: 'critical',
  title: found.length === 1 ? 'An archived run is damaged' : `${found.length} archived runs are damaged`,
  lines: [
    ...found.slice(0, NAMED).map(([run, reason]) => `  run ${run}: ${reason}`),
    ...(found.length > NAMED ? [`  and ${found.length - NAMED} more`] : []),
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
