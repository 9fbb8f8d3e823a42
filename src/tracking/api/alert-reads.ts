import { timeMs, timeText } from '../../sql/timestamps.ts'
import { taskFacts } from '../alerts/gather-facts.ts'
import { isSilenced } from '../alerts/reconcile.ts'
import { ALERT_RULES, type RuleName } from '../../common/alert-rules.ts'
import { RuleSettings } from '../alerts/rule-settings.ts'
import type { Sent } from '../alerts/rate-limit.ts'
import { findings, type Finding, type WatchFacts } from '../alerts/watch-rules.ts'
import { tables } from '../ledger/ledger-tables.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'

const DAY = 86_400_000
/** Days that a rule's marks show. */
const DAYS = 30
/** Messages that are listed. */
const SENT = 20

/** What the ledger does not know of alerts. */
export interface AlertSite {
  readonly site: Pick<WatchFacts, 'stages' | 'disks' | 'logs' | 'damaged' | 'backlog'>
  /** What passes sent, by key. */
  readonly byPasses: Sent
  readonly channels: readonly string[] | undefined
  /** What the site chose for each rule. Left out: nothing. */
  readonly rules?: RuleSettings | undefined
}

/**
 * What fires now by every rule, what was recorded and sent of it, and how often each rule fired. Reads only: an alert that is found here and
 * was not recorded yet has no `since`. Alerts that are recorded and not found any more end at the next check, and are not listed.
 */
export const alertFacts = async (
  database: LedgerDatabase,
  now: number,
  { site, byPasses, channels, rules: settings = new RuleSettings() }: AlertSite,
) => {
  const found = findings({ now, tasks: await taskFacts(database, now), ...site }, settings)
  const from = tables(database)
  const today = Math.floor(now / DAY)
  const recorded = await from
    .selectFrom('alerts')
    .select(['rule', 'subject', 'title', 'fired_at', 'sent_at', 'resolved_at'])
    .where((eb) =>
      eb.or([
        eb('resolved_at', 'is', null),
        eb('fired_at', '>=', timeText((today - DAYS + 1) * DAY)),
        eb('sent_at', '>=', timeText((today - DAYS + 1) * DAY)),
      ]),
    )
    .orderBy('alert_id', 'desc')
    .execute()
  const silences = (
    await from.selectFrom('silences').selectAll().where('until_at', '>', timeText(now)).execute()
  ).map((row) => ({
    rule: row.rule,
    subject: row.subject,
    until: timeMs(row.until_at),
    why: row.reason ?? undefined,
    by: row.created_by ?? undefined,
  }))
  const silenceOf = (of: { readonly rule: string; readonly subject: string }) =>
    silences.find((one) => isSilenced(of, [one], now))
  const openOf = ({ rule, subject }: Finding) =>
    recorded.find((row) => row.rule === rule && row.subject === subject && row.resolved_at === null)
  const daysOf = (rule: string): number[] => {
    const days = Array.from({ length: DAYS }, () => 0)
    for (const row of recorded) {
      if (row.rule !== rule) continue
      const at = DAYS - 1 - (today - Math.floor(timeMs(row.fired_at) / DAY))
      if (at >= 0 && at < DAYS) days[at] = (days[at] ?? 0) + 1
    }
    return days
  }
  const sent = [
    ...recorded.flatMap(({ title, rule, subject, sent_at: at, resolved_at: resolved }) =>
      at === null
        ? []
        : [
            {
              at: timeMs(at),
              title: title ?? `${rule}: ${subject}`,
              by: 'check' as const,
              resolvedAt: resolved === null ? undefined : timeMs(resolved),
              held: 0,
            },
          ],
    ),
    ...Object.entries(byPasses).map(([key, { at, held }]) => ({
      at,
      title: key,
      by: 'pass' as const,
      resolvedAt: undefined,
      held,
    })),
  ]
  return {
    firing: found.map((finding) => {
      const open = openOf(finding)
      return {
        ...finding,
        since: open && timeMs(open.fired_at),
        sentAt: open?.sent_at ? timeMs(open.sent_at) : undefined,
        silence: silenceOf(finding),
      }
    }),
    rules: Object.keys(ALERT_RULES).map((rule) => ({
      rule,
      threshold: settings.text(rule as RuleName),
      isOff: settings.isOff(rule as RuleName),
      firing: found.filter((finding) => finding.rule === rule).length,
      silence: silenceOf({ rule, subject: '*' }),
      days: daysOf(rule),
    })),
    sent: sent.sort((a, b) => b.at - a.at).slice(0, SENT),
    silences,
    channels,
  }
}
