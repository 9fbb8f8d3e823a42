import { messageOf } from '../../errors.ts'
import { printable, type Redact } from '../../common/redact.ts'
import { countForeign } from '../ledger/count-foreign.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'
import { notSent, recordFindings } from './alert-store.ts'
import type { Channel, Message } from './alerts.ts'
import { taskFacts } from './gather-facts.ts'
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
  /** What the ledger does not know: stages, disks, logs. */
  readonly site: Pick<WatchFacts, 'stages' | 'disks' | 'logs' | 'damaged' | 'backlog'>
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
  const { now, site, channels } = options
  await countForeign(database, now, DAYS_BACK)
  const found = findings({ now, tasks: await taskFacts(database, now), ...site })
  const { fire, send, resolve } = await recordFindings(database, found, now)
  const isHeard = channels.length > 0
  const unsent: Finding[] = []
  for (const finding of send) {
    const message = messageFor(finding, options)
    if (isHeard && !(await sendToAll(message, options))) unsent.push(finding)
  }
  // Without a channel nothing was sent: a channel that is turned on later gets it.
  await notSent(database, isHeard ? unsent : send)
  for (const alert of resolve) {
    if (!alert.isSent) continue
    const over = { title: `Resolved: ${alert.rule} of ${alert.subject}`, detail: 'It is not found any more.' }
    await sendToAll(messageFor({ ...alert, ...over, severity: 'warning' }, options), options)
  }
  return {
    found,
    fired: fire,
    sent: isHeard ? send.filter((one) => !unsent.includes(one)) : [],
    resolved: resolve,
    unsent,
  }
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
  { channels, timeout, warn, redact }: CheckOptions,
): Promise<boolean> => {
  const results = await Promise.allSettled(
    channels.map((channel) => channel.send(message, AbortSignal.timeout(timeout))),
  )
  results.forEach((result, i) => {
    if (result.status === 'rejected')
      warn(`The ${channels[i]?.name ?? ''} alert was not sent: ${redact(messageOf(result.reason))}`)
  })
  return results.some(({ status }) => status === 'fulfilled')
}
