import { stopCode, type Command } from '../../app/context.ts'
import { ArchiverError } from '../../errors.ts'
import { now } from '../../platform/host.ts'
import { auditItems } from '../../records/run/audit-items.ts'
import { openTask, type TaskOptions } from './open-task.ts'

export interface AuditCommandOptions extends TaskOptions {
  readonly json?: boolean
  /** Percent of the items that are mapped again. */
  readonly sample?: string
}

const sampleOf = (text: string | undefined): number => {
  const percent = text === undefined ? 100 : Number(/^(\d{1,3}(?:\.\d+)?)%?$/.exec(text)?.[1] ?? NaN)
  if (percent > 0 && percent <= 100) return percent
  throw new ArchiverError(
    'USAGE',
    `--sample: "${text ?? ''}" is no percentage: a number above 0, at most 100`,
  )
}

/** `records audit TASK`: maps every payload again and compares it with the tables. Exit 0 when every item is archived and nothing else was found. */
export const auditCommand: Command<AuditCommandOptions> = async (options, context) => {
  const sample = sampleOf(options.sample)
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
      sample,
      now,
      stop: context.signal,
    })
    const { counts, findings } = result
    if (options.json) context.out(`${JSON.stringify({ task: name, ...result }, null, 2)}\n`)
    else {
      const shown = Object.entries(counts).filter(([verdict, count]) => verdict !== 'unchecked' || count > 0)
      const lines = shown.map(([verdict, count]) => `${verdict}: ${count}`)
      const named = findings.map(
        ({ key, verdict, table }) => `item ${key}: ${verdict}${table === undefined ? '' : ` (${table})`}`,
      )
      context.out(`${[...lines, ...named].join('\n')}\n`)
    }
    if (context.signal.aborted) return stopCode(context.signal)
    const { archived: _archived, unchecked: _unchecked, ...rest } = counts
    return Object.values(rest).every((count) => count === 0) ? 0 : 1
  } finally {
    await task.close()
  }
}
