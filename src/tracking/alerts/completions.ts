import { durationText } from '../../common/duration.ts'
import { timeMs, timeText } from '../../sql/timestamps.ts'
import { tables } from '../ledger/ledger-tables.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'
import { withAlertLock } from './alert-store.ts'
import { isSilenced, type Silence } from './reconcile.ts'
import type { RuleSettings } from './rule-settings.ts'
import type { Finding } from './watch-rules.ts'

/** Milliseconds in which an end is news: more than between two checks, and little enough that a rule just turned on sends no flood. */
const NEWS = 3_600_000
/** An execution that ends within the hour began within so much, or nobody waits for it. */
const LONGEST = 7 * 86_400_000
/** What one check sends at most; the next one goes on. */
const AT_ONCE = 100

/** An execution that ended well, as something to send. */
export interface Completion extends Finding {
  readonly task: string
}

/**
 * Executions that ended well within the last hour, of tasks for which the rule `finished` is on, and of which nobody was notified yet. Each
 * is recorded as an alert that has ended, and as sent, in one transaction that one checker at a time is in: a crash before it is sent loses
 * the message, and nobody gets it twice. `unsentCompletions` takes the note back.
 */
export const newCompletions = async (
  database: LedgerDatabase,
  settings: RuleSettings,
  silences: readonly Silence[],
  now: number,
): Promise<readonly Completion[]> => {
  if (!settings.isAnywhere('finished')) return []
  return withAlertLock(database, async (within) => {
    const ended = await within
      .selectFrom('executions')
      .select(['run_id', 'task_name', 'execution_start', 'execution_end', 'overall_progress_message'])
      .where('execution_start', '>=', timeText(now - LONGEST))
      .where('execution_end', '>=', timeText(now - NEWS))
      .where('end_reason', '=', 'ok')
      .orderBy('execution_end')
      .execute()
    const heard = new Set(
      (
        await within
          .selectFrom('alerts')
          .select('subject')
          .where('rule', '=', 'finished')
          .where('sent_at', '>=', timeText(now - 2 * NEWS))
          .execute()
      ).map(({ subject }) => subject),
    )
    const due = ended
      .filter(({ run_id: id, task_name: task }) => !heard.has(id) && settings.isOn('finished', task))
      .filter(({ task_name: subject }) => !isSilenced({ rule: 'finished', subject }, silences, now))
      .slice(0, AT_ONCE)
      .map((row): Completion => {
        const seconds =
          (timeMs(row.execution_end ?? row.execution_start) - timeMs(row.execution_start)) / 1000
        const took = `It took ${durationText(Math.round(seconds))}.`
        const severity = settings.severity('finished', row.task_name) ?? 'info'
        const [title, detail] = [
          `${row.task_name} finished`,
          `${row.overall_progress_message ?? ''} ${took}`.trim(),
        ]
        return { rule: 'finished', subject: row.run_id, task: row.task_name, severity, title, detail }
      })
    const at = timeText(now)
    if (due.length === 0) return due
    await within
      .deleteFrom('alerts')
      .where('rule', '=', 'finished')
      .where(
        'subject',
        'in',
        due.map(({ subject }) => subject),
      )
      .execute()
    for (const { task: _task, ...alert } of due)
      await within
        .insertInto('alerts')
        .values({ ...alert, fired_at: at, seen_at: at, sent_at: at, resolved_at: at })
        .execute()
    return due
  })
}

/** No channel took these: the next check sends them again. */
export const unsentCompletions = async (
  database: LedgerDatabase,
  unsent: readonly Finding[],
): Promise<void> => {
  if (unsent.length === 0) return
  await tables(database)
    .updateTable('alerts')
    .set({ sent_at: null })
    .where('rule', '=', 'finished')
    .where(
      'subject',
      'in',
      unsent.map(({ subject }) => subject),
    )
    .execute()
}
