import { counted } from '../../common/counted.ts'
import { join } from 'node:path'
import { makeFolder } from '../../platform/make-folder.ts'
import type { Command } from '../../app/context.ts'
import { ArchiverError } from '../../errors.ts'
import { replaceFile } from '../../platform/atomic-file.ts'
import { readIfReadable } from '../../records/sources/source.ts'
import { failedItems } from '../../records/sql/log-report.ts'
import { openTask, type TaskOptions } from './open-task.ts'

export interface DeadLetterOptions extends TaskOptions {
  readonly to?: string
  readonly json?: boolean
}

const MOST = 1_000_000

/**
 * `records dead-letter TASK --to FOLDER`: the payloads of failed items as files that only their owner reads, with a manifest of codes. A
 * mended folder is taken again by `records retry TASK --source files:FOLDER`.
 */
export const deadLetterCommand: Command<DeadLetterOptions> = async (options, context) => {
  const { to } = options
  if (to === undefined) throw new ArchiverError('USAGE', 'records dead-letter needs --to FOLDER')
  const task = await openTask(options, context)
  try {
    await makeFolder(to, 0o700)
    const ending = task.mapping.source.format
    const lines: string[] = []
    for (const { key, code, reason, retries } of await failedItems(task.target, task.name, MOST)) {
      // A key of text may hold anything; only plain ones become names of files.
      const isPlain = /^-?[A-Za-z0-9][A-Za-z0-9_.-]*$|^-\d+$/.test(key)
      if (!isPlain) {
        lines.push(JSON.stringify({ key, code, reason, retries, file: null }))
        continue
      }
      const payload = await readIfReadable(task.source, key)
      const file = payload === undefined || payload === null ? null : `${key}.${ending}`
      if (file !== null) await replaceFile(join(to, file), payload ?? '', { mode: 0o600 })
      lines.push(JSON.stringify({ key, code, reason, retries, file }))
    }
    await replaceFile(join(to, 'manifest.jsonl'), lines.map((line) => `${line}\n`).join(''), { mode: 0o600 })
    context.out(
      options.json
        ? `${JSON.stringify({ items: lines.length, folder: to })}\n`
        : `${counted(lines.length, 'failed item')} in ${to}\n`,
    )
    return 0
  } finally {
    await task.close()
  }
}
