import { now } from '../platform/host.ts'
import type { Archiver } from '../runs/archiver.ts'
import { channelsOf } from '../tracking/alerts/channels.ts'
import { RuleSettings } from '../tracking/alerts/rule-settings.ts'
import { readSent, sentFile } from '../tracking/alerts/sent-alerts.ts'
import { alertFacts } from '../tracking/api/alert-reads.ts'
import type { AlertReads, AlertsFacts } from '../web/models/alerts.ts'
import { siteFacts } from './alert-site.ts'
import type { PageLedger } from './page-ledger.ts'
import type { PageQueue } from './page-queue.ts'

/** Milliseconds that an answer is kept: every page asks for the badge. */
const KEEP = 5000

/** What fires, as the pages show it. Undefined without a ledger. */
export const pageAlerts = (
  archiver: Archiver | undefined,
  ledger: PageLedger | undefined,
  queue: Pick<PageQueue, 'alerts'> | undefined,
): AlertReads | undefined => {
  if (!ledger) return undefined
  const config = archiver?.config
  let last: { readonly at: number; readonly facts: Promise<AlertsFacts> } | undefined
  const read = (): Promise<AlertsFacts> =>
    ledger.use(async (database) =>
      alertFacts(database, now(), {
        site: config
          ? {
              ...(await siteFacts(database, config.app)),
              backlog: await queue?.alerts().catch(() => undefined),
            }
          : { stages: [], disks: [], logs: [], damaged: new Map() },
        byPasses: config ? await readSent(sentFile(config.app.workDir)) : {},
        rules: config && new RuleSettings(config.reporting.rules),
        channels: config && channelsOf(config.reporting, KEEP, {}).map(({ name }) => name),
      }),
    )
  return () => {
    if (last && Math.abs(now() - last.at) < KEEP) return last.facts
    const facts = read()
    last = { at: now(), facts }
    facts.catch(() => (last = undefined))
    return facts
  }
}
