import { messageOf } from '../../errors.ts'
import { printable, type Redact } from '../../common/redact.ts'
import { countForeign } from '../ledger/count-foreign.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'
import type { RuleName } from '../../common/alert-rules.ts'
import { listSilences, notSent, recordFindings } from './alert-store.ts'
import { sendWithin, type Channel, type Message } from './alerts.ts'
import { chosenChannels } from './chosen-channels.ts'
import { newCompletions, unsentCompletions } from './completions.ts'
import { taskFacts } from './gather-facts.ts'
import { RuleSettings } from './rule-settings.ts'
import { findings, type Finding, type WatchFacts } from './watch-rules.ts'

/** Days in which executions of other programs are looked for: more than a timer is ever off. */
const DAYS_BACK = 7

export interface CheckOptions {
  readonly channels: readonly Channel[]
  readonly now: number
  readonly host: string
  readonly redact: Redact
  /** Milliseconds for one message to one channel. */
  readonly timeout: number
  readonly warn: (message: string) => void
  /** What the site chose for each rule. Left out: nothing. */
  readonly rules?: RuleSettings
  /** What the ledger does not know: stages, disks, logs. */
  readonly site: Pick<WatchFacts, 'stages' | 'disks' | 'logs' | 'damaged' | 'backlog' | 'notKnown'>
}

export interface CheckResult {
  readonly found: readonly Finding[]
  readonly fired: readonly Finding[]
  readonly sent: readonly Finding[]
  readonly resolved: readonly { readonly rule: string; readonly subject: string }[]
  /** Messages that no channel took. The next check sends them again. */
  readonly unsent: readonly Finding[]
}

/**
 * Looks at everything, records what changed and sends it: each alert once when it begins and once when it ends. Safe to run at any time
 * and by several programs at once. A crash between recording and sending loses that one message, never the alert: it stays listed.
 */
export const checkAlerts = async (database: LedgerDatabase, options: CheckOptions): Promise<CheckResult> => {
  const { now, site, channels, rules = new RuleSettings() } = options
  await countForeign(database, now, DAYS_BACK)
  const found = findings({ now, tasks: await taskFacts(database, now), ...site }, rules)
  const { fire, send, resolve } = await recordFindings(database, found, now, site.notKnown)
  const isHeard = channels.length > 0
  const unsent = isHeard ? await sendEach(send, rules, options) : []
  // Without a channel nothing was sent: a channel that is turned on later gets it.
  await notSent(database, isHeard ? unsent : send)
  for (const alert of resolve) {
    if (!alert.isSent) continue
    const over = { title: `Resolved: ${alert.rule} of ${alert.subject}`, detail: 'It is not found any more.' }
    const message = messageFor({ ...alert, ...over, severity: 'warning' }, options)
    await sendToAll(message, chosenChannels(rules, alert.rule as RuleName, alert.subject, channels), options)
  }
  const ended = isHeard ? await newCompletions(database, rules, await listSilences(database, now), now) : []
  const unheard = await sendEach(ended, rules, options)
  await unsentCompletions(database, unheard)
  return {
    found,
    fired: fire,
    sent: isHeard ? [...send, ...ended].filter((one) => ![...unsent, ...unheard].includes(one)) : [],
    resolved: resolve,
    unsent: [...unsent, ...unheard],
  }
}

/** Those that no channel took. */
const sendEach = async (
  alerts: readonly (Finding & { readonly task?: string })[],
  rules: RuleSettings,
  options: CheckOptions,
): Promise<Finding[]> => {
  const unsent: Finding[] = []
  for (const alert of alerts) {
    const channels = chosenChannels(rules, alert.rule, alert.task ?? alert.subject, options.channels)
    if (!(await sendToAll(messageFor(alert, options), channels, options))) unsent.push(alert)
  }
  return unsent
}

const messageFor = (
  finding: Omit<Finding, 'rule'> & { readonly rule: string },
  { redact, host, now }: CheckOptions,
): Message => {
  const safe = (text: string): string => printable(redact(text))
  return {
    key: `${finding.rule}:${safe(finding.subject)}`,
    severity: finding.severity,
    title: safe(finding.title),
    lines: [safe(finding.detail)],
    host,
    time: new Date(now).toISOString(),
    held: 0,
  }
}

/** Whether a channel took it. */
const sendToAll = async (
  message: Message,
  channels: readonly Channel[],
  { timeout, warn, redact }: CheckOptions,
): Promise<boolean> => {
  const results = await Promise.allSettled(channels.map((channel) => sendWithin(channel, message, timeout)))
  results.forEach((result, i) => {
    if (result.status === 'rejected')
      warn(`The ${channels[i]?.name ?? ''} alert was not sent: ${redact(messageOf(result.reason))}`)
  })
  return results.some(({ status }) => status === 'fulfilled')
}
