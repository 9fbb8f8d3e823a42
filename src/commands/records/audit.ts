import { stopCode, type Command } from '../../app/context.ts'
import { now } from '../../platform/host.ts'
import { auditItems } from '../../records/run/audit-items.ts'
import { openTask, type TaskOptions } from './open-task.ts'

export interface AuditCommandOptions extends TaskOptions {
  readonly json?: boolean
}

/** `records audit TASK`: maps every payload again and compares it with the tables. Exit 0 when every item is archived and nothing else was found. */
export const auditCommand: Command<AuditCommandOptions> = async (options, context) => {
  const task = await openTask(options, context)
  try {
    const { name, source, mapping, target, catalogue, batchSize } = task
    const result = await auditItems({
      task: name,
      source,
      mapping,
      database: target,
      catalogue,
      batchSize,
      now,
      stop: context.signal,
    })
    const { counts, findings } = result
    if (options.json) context.out(`${JSON.stringify({ task: name, ...result }, null, 2)}\n`)
    else {
      const lines = Object.entries(counts).map(([verdict, count]) => `${verdict}: ${count}`)
      const named = findings.map(
        ({ key, verdict, table }) => `item ${key}: ${verdict}${table === undefined ? '' : ` (${table})`}`,
      )
      context.out(`${[...lines, ...named].join('\n')}\n`)
    }
    if (context.signal.aborted) return stopCode(context.signal)
    const { archived: _archived, ...rest } = counts
    return Object.values(rest).every((count) => count === 0) ? 0 : 1
  } finally {
    await task.close()
  }
}
