import type { RuleName, Severity } from '../../common/alert-rules.ts'
import { durationText } from '../../common/duration.ts'
import type { Started } from '../../common/own-command.ts'
import type { Log } from '../../common/log.ts'
import { chosenChannels } from './chosen-channels.ts'
import { limit } from './rate-limit.ts'
import { printable, type Redact } from '../../common/redact.ts'
import { messageOf } from '../../errors.ts'
import { within } from '../ledger/writer.ts'
import { isSilenced, type Silence } from './reconcile.ts'
import { RuleSettings } from './rule-settings.ts'
import { keepSent, readSent } from './sent-alerts.ts'

/** Something that a person should know of. */
export interface Alert {
  /** What it is about: the same key is not sent twice within the interval. */
  readonly key: string
  readonly severity: Severity
  readonly title: string
  /** One fact each; names and messages in them come from the world outside and are made printable when they are sent. */
  readonly lines: readonly string[]
  /** The rule of `reporting.rules` that this alert falls under. Left out: none, and every channel gets it. */
  readonly rule?: RuleFor
}

/** By what a site's settings of a rule are looked up. */
export interface RuleFor {
  readonly name: RuleName
  readonly subject: string
  /** Compared with a threshold that the site set. Left out: no threshold holds the alert back. */
  readonly count?: number
}

/** A message as a channel sends it: no secrets, nothing unprintable. */
export interface Message extends Omit<Alert, 'rule'> {
  readonly host: string
  /** The configuration's path, where it is known. */
  readonly config?: string | undefined
  /** ISO 8601. */
  readonly time: string
  /** Alerts of this key that were held back since the last one. */
  readonly held: number
}

/** A way to notify somebody. `send` rejects when nobody was notified. */
export interface Channel {
  readonly name: string
  send(message: Message, signal: AbortSignal): Promise<void>
}

/**
 * Sends, for at most `timeout` milliseconds; rejects then. A signal that nobody listens to is collected as garbage once the head of an answer is there,
 * and an answer whose body never ends would be waited for without end.
 */
export const sendWithin = async (channel: Channel, message: Message, timeout: number): Promise<void> => {
  const signal = AbortSignal.timeout(timeout)
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () =>
      reject(new Error(`it did not answer within ${durationText(timeout / 1000)}`)),
    )
  })
  await Promise.race([channel.send(message, signal), late])
}

export interface AlertsOptions {
  readonly started?: Started | undefined
  readonly channels: readonly Channel[]
  /** What the site chose for each rule. Left out: nothing. */
  readonly rules?: RuleSettings | undefined
  /** The silences that stand. Where they cannot be read nothing is silent. Left out: none. */
  readonly silences?: (() => Promise<readonly Silence[]>) | undefined
  /** Where it is remembered what was sent when: a file in work_dir. */
  readonly stateFile: string
  /** Milliseconds in which one key is sent once. */
  readonly interval: number
  /** Milliseconds that one channel may take for one message. */
  readonly timeout: number
  readonly host: string
  readonly now: () => number
  readonly log: Log
  readonly redact: Redact
  /** Called for every message that arrived, for the ledger. */
  readonly onSent?: (alert: Message, channel: string) => void
}

/** Whether somebody silenced a rule and subject; undefined: an alert without a rule, which only a silence of everything holds back. */
export type IsSilent = (rule: { readonly name: string; readonly subject: string } | undefined) => boolean

/** Milliseconds in which the silences are read, so that a ledger that hangs leaves time for sending. */
const SILENCES_WITHIN = 2000

/**
 * Notifies people, in the background. Nothing here throws, and nothing waits but `close`: the original sent its mail before it wrote its
 * state, and lost the pass to a mail server that did not answer. What could not be sent is tried again when it is raised again.
 */
export class Alerts {
  readonly #options: AlertsOptions
  readonly #rules: RuleSettings
  /** Alerts are sent one after the other, so that the memory of what was sent is one. */
  #turn: Promise<void> = Promise.resolve()

  constructor(options: AlertsOptions) {
    this.#options = options
    this.#rules = options.rules ?? new RuleSettings()
  }

  /** Sends it in the background, unless the site's settings of its rule or a silence hold it back: then it is not remembered as sent either. */
  raise(alert: Alert): void {
    if (this.#isWanted(alert)) this.raiseEach(() => [alert])
  }

  /** As `raise`, of alerts that are made when it is known what is silent. */
  raiseEach(alertsFor: (isSilent: IsSilent) => readonly Alert[]): void {
    if (this.#options.channels.length === 0) return
    this.#turn = this.#turn
      .then(() => this.#notifyEach(alertsFor))
      .catch((error: unknown) => this.#options.log.warn(`An alert could not be handled: ${messageOf(error)}`))
  }

  /** Waits for what is being sent, for `ms` milliseconds at most. */
  async close(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms)
    })
    await Promise.race([this.#turn, late])
    clearTimeout(timer)
  }

  #isWanted({ rule }: Alert): boolean {
    if (!rule) return true
    const { name, subject, count = Infinity } = rule
    return this.#rules.isOn(name, subject) && count >= (this.#rules.chosenThreshold(name, subject) ?? 0)
  }

  async #notifyEach(alertsFor: (isSilent: IsSilent) => readonly Alert[]): Promise<void> {
    const silences = await this.#silences()
    const isSilent: IsSilent = ({ name: rule, subject } = { name: '', subject: '' }) =>
      isSilenced({ rule, subject }, silences, this.#options.now())
    for (const alert of alertsFor(isSilent).filter((one) => this.#isWanted(one)))
      if (isSilent(alert.rule))
        this.#options.log.info(`An alert is silenced: ${printable(this.#options.redact(alert.title))}`)
      else await this.#notify(alert)
  }

  async #silences(): Promise<readonly Silence[]> {
    const { silences, log, redact } = this.#options
    try {
      return silences ? await within(SILENCES_WITHIN, silences()) : []
    } catch (error) {
      log.warn(`Which alerts are silenced cannot be read, so none is: ${redact(messageOf(error))}`)
      return []
    }
  }

  async #notify({ rule, ...alert }: Alert): Promise<void> {
    const { now, interval, host, redact, log, stateFile, channels } = this.#options
    const { due, held, sent: memory } = limit(await readSent(stateFile), alert.key, now(), interval)
    const remember = (): Promise<void> => keepSent(stateFile, memory, (message) => log.warn(message))
    if (!due) return remember()
    const safe = (text: string): string => printable(redact(text))
    const message: Message = {
      ...alert,
      severity: (rule && this.#rules.severity(rule.name, rule.subject)) ?? alert.severity,
      title: safe(alert.title),
      lines: alert.lines.map(safe),
      host,
      config: this.#options.started?.config,
      time: new Date(now()).toISOString(),
      held,
    }
    const chosen = rule ? chosenChannels(this.#rules, rule.name, rule.subject, channels) : channels
    const sent = await Promise.all(chosen.map((channel) => this.#send(channel, message)))
    if (sent.includes(true)) await remember()
    else log.warn(`Nobody could be notified: ${message.title}`)
  }

  async #send(channel: Channel, message: Message): Promise<boolean> {
    const { timeout, log, redact, onSent } = this.#options
    try {
      await sendWithin(channel, message, timeout)
      onSent?.(message, channel.name)
      return true
    } catch (error) {
      log.warn(`The ${channel.name} alert was not sent: ${redact(messageOf(error))}`)
      return false
    }
  }
}
