import { counted } from '../../common/counted.ts'
import { printable } from '../../common/redact.ts'
import type { Command } from '../../app/context.ts'
import { failedItems, logReport } from '../../records/sql/log-report.ts'
import { openTask, type TaskOptions } from './open-task.ts'

export interface ReportOptions extends TaskOptions {
  readonly json?: boolean
  readonly failed?: boolean
}

const MOST_SHOWN = 10_000

/** `records report TASK`: what the log says of the task's items, by status, code and table. `records audit` compares it with the tables. */
export const reportCommand: Command<ReportOptions> = async (options, context) => {
  const task = await openTask(options, context)
  try {
    const report = await logReport(task.target, task.name)
    const failed = options.failed ? await failedItems(task.target, task.name, MOST_SHOWN) : []
    if (options.json)
      context.out(
        `${JSON.stringify({ task: task.name, ...report, ...(options.failed ? { failed } : {}) }, null, 2)}\n`,
      )
    else {
      const lines = [
        `${task.name}: ${report.statuses['success'] ?? 0} stored, ${report.statuses['failed'] ?? 0} failed`,
        ...Object.entries(report.codes).map(([code, count]) => `  ${code}: ${count}`),
        ...Object.entries(report.tables).map(([table, count]) => `${table}: ${counted(count, 'row')}`),
        ...failed.map(
          ({ key, reason, retries }) =>
            `item ${key}: ${reason}${retries > 0 ? ` (tried again ${counted(retries, 'time')})` : ''}`,
        ),
      ]
      context.out(`${lines.map(printable).join('\n')}\n`)
    }
    return 0
  } finally {
    await task.close()
  }
}
