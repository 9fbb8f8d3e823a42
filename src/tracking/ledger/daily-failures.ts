import { messageClass } from '../../common/message-class.ts'
import { timeText } from '../../sql/timestamps.ts'
import { distinctDays, type TaskDay } from './daily-stats.ts'
import { tables } from './ledger-tables.ts'
import type { Row } from './row.ts'
import type { LedgerDatabase } from './schema-types.ts'

const DAY = 86_400_000
const LONGEST_CLASS = 255

/** `daily_failures` for these days, counted anew from the executions, so that counting twice changes nothing. */
export const failuresOf = async (database: LedgerDatabase, days: readonly TaskDay[]): Promise<Row[]> => {
  const rows: Row[] = []
  for (const { task, day } of distinctDays(days)) {
    const from = Date.parse(`${day}T00:00:00Z`)
    const failed = await tables(database)
      .selectFrom('executions')
      .select(['run_id', 'error_message', 'execution_end'])
      .where('task_name', '=', task)
      .where('execution_start', '>=', timeText(from))
      .where('execution_start', '<', timeText(from + DAY))
      .where('execution_status', '=', 'FAILED')
      .where('execution_end', 'is not', null)
      .orderBy('execution_end')
      .execute()
    const groups = new Map<string, typeof failed>()
    for (const one of failed) {
      const group = groups.get(classOf(one.error_message))
      if (group) group.push(one)
      else groups.set(classOf(one.error_message), [one])
    }
    for (const [message, group] of groups) {
      const [first, last] = [group[0], group.at(-1)]
      if (!first || !last) continue
      rows.push({
        table: 'daily_failures',
        transient: false,
        cells: {
          task_name: task,
          day,
          message_class: message,
          failures: group.length,
          first_at: first.execution_end,
          last_at: last.execution_end,
          last_run_id: last.run_id,
          example: last.error_message,
        },
      })
    }
  }
  return rows
}

const classOf = (message: string | null): string =>
  messageClass(message ?? 'no message was left').slice(0, LONGEST_CLASS)
