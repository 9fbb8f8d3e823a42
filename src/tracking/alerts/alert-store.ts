import { sql, type Kysely } from 'kysely'
import { timeMs, timeText } from '../../sql/timestamps.ts'
import { tables } from '../ledger/ledger-tables.ts'
import type { LedgerDatabase, LedgerSchema } from '../ledger/schema-types.ts'
import { reconcile, type Changes, type Silence } from './reconcile.ts'
import type { Finding, NotKnown } from './watch-rules.ts'

/** An alert as the ledger has it. Times in epoch milliseconds. */
export interface StoredAlert {
  readonly id: number
  readonly rule: string
  readonly subject: string
  readonly severity: string
  readonly title: string
  readonly detail: string
  readonly firedAt: number
  readonly sentAt: number | undefined
  readonly resolvedAt: number | undefined
}

/**
 * Records what is found and what has ended, in one transaction that one checker at a time is in, so that an alert fires and resolves once
 * however many checkers there are. Returns what is to be sent; `sent` notes what was.
 */
export const recordFindings = (
  database: LedgerDatabase,
  found: readonly Finding[],
  now: number,
  notKnown: readonly NotKnown[] = [],
): Promise<Changes> =>
  withAlertLock(database, async (within) => {
    const open = await within
      .selectFrom('alerts')
      .select(['rule', 'subject', 'sent_at'])
      .where('resolved_at', 'is', null)
      .execute()
    const known = open.map(({ rule, subject, sent_at: sent }) => ({ rule, subject, isSent: sent !== null }))
    const changes = reconcile(found, known, await silencesOf(within, now), now, notKnown)
    const at = timeText(now)
    for (const finding of changes.fire)
      await within
        .insertInto('alerts')
        .values({ ...finding, fired_at: at, seen_at: at })
        .execute()
    // What is sent is noted before it is sent, and taken back when no channel takes it: nobody gets it twice.
    for (const { rule, subject } of changes.send) await openOnes(within, rule, subject, { sent_at: at })
    for (const { rule, subject } of changes.resolve)
      await openOnes(within, rule, subject, { resolved_at: at })
    return changes
  })

/** Work on the alerts in one transaction, which one checker at a time is in. */
export const withAlertLock = <T>(
  database: LedgerDatabase,
  work: (within: Kysely<LedgerSchema>) => Promise<T>,
): Promise<T> =>
  database.kysely.transaction().execute(async (transaction) => {
    await lock(transaction, database)
    return work(tables({ ...database, kysely: transaction }))
  })

/** No channel took these: the next check sends them again. */
export const notSent = async (database: LedgerDatabase, findings: readonly Finding[]): Promise<void> => {
  for (const { rule, subject } of findings) await openOnes(tables(database), rule, subject, { sent_at: null })
}

const openOnes = async (
  within: Kysely<LedgerSchema>,
  rule: string,
  subject: string,
  set: { readonly sent_at: string | null } | { readonly resolved_at: string },
): Promise<void> => {
  await within
    .updateTable('alerts')
    .set(set)
    .where('rule', '=', rule)
    .where('subject', '=', subject)
    .where('resolved_at', 'is', null)
    .execute()
}

/** SQLite's transactions are one at a time already. */
const lock = async (
  transaction: Kysely<LedgerSchema>,
  { dialect, schema }: LedgerDatabase,
): Promise<void> => {
  if (dialect === 'postgres')
    await sql`SELECT pg_advisory_xact_lock(hashtext(${`run-archiver.alerts.${schema ?? ''}`}))`.execute(
      transaction,
    )
  // The row of version 1 is always there, and nobody else locks it.
  if (dialect === 'mysql')
    await sql`SELECT version FROM schema_version WHERE version = 1 FOR UPDATE`.execute(transaction)
}

/** The newest first; with `all`, resolved ones too. */
export const listAlerts = async (
  database: LedgerDatabase,
  { all, limit }: { readonly all: boolean; readonly limit: number },
): Promise<StoredAlert[]> => {
  let query = tables(database).selectFrom('alerts').selectAll().orderBy('alert_id', 'desc').limit(limit)
  if (!all) query = query.where('resolved_at', 'is', null)
  return (await query.execute()).map((row) => ({
    id: row.alert_id,
    rule: row.rule,
    subject: row.subject,
    severity: row.severity ?? 'warning',
    title: row.title ?? '',
    detail: row.detail ?? '',
    firedAt: timeMs(row.fired_at),
    sentAt: row.sent_at === null ? undefined : timeMs(row.sent_at),
    resolvedAt: row.resolved_at === null ? undefined : timeMs(row.resolved_at),
  }))
}

/** Silences that have not ended. */
export const listSilences = (database: LedgerDatabase, now: number): Promise<Silence[]> =>
  silencesOf(tables(database), now)

const silencesOf = async (within: Kysely<LedgerSchema>, now: number): Promise<Silence[]> => {
  const rows = await within
    .selectFrom('silences')
    .select(['rule', 'subject', 'until_at'])
    .where('until_at', '>', timeText(now))
    .execute()
  return rows.map(({ rule, subject, until_at: until }) => ({ rule, subject, until: timeMs(until) }))
}

/** Silences a rule and subject (`*` for all) until a time; one in the past ends the silence. Replaces an earlier one. */
export const silence = async (
  database: LedgerDatabase,
  { rule, subject, until }: Silence,
  by: { readonly user: string; readonly reason: string | undefined; readonly now: number },
): Promise<void> => {
  await database.kysely.transaction().execute(async (transaction) => {
    const within = tables({ ...database, kysely: transaction })
    await within.deleteFrom('silences').where('rule', '=', rule).where('subject', '=', subject).execute()
    if (until <= by.now) return
    const [until_at, created_at] = [timeText(until), timeText(by.now)]
    await within
      .insertInto('silences')
      .values({ rule, subject, until_at, created_at, created_by: by.user, reason: by.reason ?? null })
      .execute()
  })
}
