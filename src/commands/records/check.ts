import { counted } from '../../common/counted.ts'
import { untilStopped } from '../../app/context.ts'
import { ArchiverError } from '../../errors.ts'
import type { Mapping } from '../../records/mapping/model.ts'
import { classOf } from '../../records/sql/classify-error.ts'
import { checkTarget, type Misfit } from '../../records/sql/check-target.ts'
import { readMappingFile } from './mapping-file.ts'
import type { TargetFlags } from './named-target.ts'
import { readTask } from './open-task.ts'

export interface CheckOptions extends TargetFlags {
  readonly task?: string
  readonly mapping?: string
  readonly config: string
  readonly json?: boolean
}

/**
 * `records check [TASK] [--mapping FILE]`: whether a mapping can be used, with every problem and its place, and what a contract of the
 * original gives otherwise here. With a task it is held against the tables of the target: exit 1 where they do not fit. Writes nothing.
 */
export const checkCommand = untilStopped<CheckOptions>(async (options, context) => {
  const { task, mapping: given, json } = options
  if (task === undefined && given === undefined)
    throw new ArchiverError('USAGE', 'records check needs a TASK or --mapping FILE')
  const read = task === undefined ? undefined : await readTask({ ...options, task }, context)
  const file = read?.mappingFile ?? given ?? ''
  const mapping = read?.mapping ?? (await readMappingFile(file))
  const misfits = read ? await misfitsOf(read.openTarget, mapping) : []
  const names = mapping.tables.map(({ name }) => name)
  const differences = mapping.notes.map(({ at, message }) => ({ ...at, message }))
  if (json) {
    const target = misfits.map(({ at, ...misfit }) => ({ ...misfit, line: at.line, at_column: at.column }))
    const document = { tables: names, differences, ...(read ? { target } : {}) }
    context.out(`${JSON.stringify(document, null, 2)}\n`)
  } else {
    for (const { line, column, message } of differences)
      context.out(`${file}:${line}:${column}: note: ${message}\n`)
    for (const { at, severity, table, column, message } of misfits)
      context.out(
        `${file}:${at.line}:${at.column}: ${severity}: ${table}${column === undefined ? '' : `.${column}`}: ${message}\n`,
      )
    context.out(`the mapping can be used: ${names.join(', ')}\n${read ? `${targetLine(misfits)}\n` : ''}`)
  }
  return misfits.some(({ severity }) => severity === 'problem') ? 1 : 0
})

const targetLine = (misfits: readonly Misfit[]): string => {
  const problems = misfits.filter(({ severity }) => severity === 'problem').length
  return problems === 0
    ? 'the tables of the target fit'
    : `the tables of the target do not fit: ${counted(problems, 'problem')}`
}

const misfitsOf = async (
  open: () => Promise<Parameters<typeof checkTarget>[0]>,
  mapping: Mapping,
): Promise<Misfit[]> => {
  const target = await open()
  try {
    return await checkTarget(target, mapping)
  } catch (cause) {
    const kind = classOf(cause)
    throw new ArchiverError('STORE_UNAVAILABLE', `cannot read the catalogue of the target (${kind})`, {
      cause,
    })
  } finally {
    await target.close()
  }
}
