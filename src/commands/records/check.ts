import type { Command } from '../../app/context.ts'
import { ArchiverError } from '../../errors.ts'
import { readMappingFile } from './mapping-file.ts'

export interface CheckOptions {
  readonly mapping?: string
  readonly json?: boolean
}

/** `records check --mapping FILE`: whether a mapping can be used, with every problem and its place; what a contract of the original gives otherwise here. */
export const checkCommand: Command<CheckOptions> = async ({ mapping: file, json }, context) => {
  if (file === undefined) throw new ArchiverError('USAGE', 'records check needs --mapping FILE')
  const { tables, notes } = await readMappingFile(file)
  const differences = notes.map(({ at, message }) => ({ line: at.line, column: at.column, message }))
  if (json)
    context.out(`${JSON.stringify({ tables: tables.map(({ name }) => name), differences }, null, 2)}\n`)
  else {
    const lines = differences.map(
      ({ line, column, message }) => `${file}:${line}:${column}: note: ${message}\n`,
    )
    context.out(`${lines.join('')}the mapping can be used: ${tables.map(({ name }) => name).join(', ')}\n`)
  }
  return 0
}
