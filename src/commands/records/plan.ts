import { readFile } from 'node:fs/promises'
import type { Command } from '../../app/context.ts'
import { ArchiverError, errnoOf, messageOf } from '../../errors.ts'
import { now } from '../../platform/host.ts'
import type { ItemError } from '../../records/item-error.ts'
import type { Row } from '../../records/map/map-row.ts'
import type { Mapping } from '../../records/mapping/model.ts'
import { givenStored, planItem, storedAfter, type GivenRows, type Plan } from '../../records/plan.ts'
import { readMappingFile } from './mapping-file.ts'

export interface PlanCommandOptions {
  /** A file with a payload, or the key of a source row. */
  readonly item: string
  readonly mapping?: string
  readonly json?: boolean
  readonly showValues?: boolean
  readonly sourceKey?: string
  readonly sourceKind?: string
  readonly given?: string
  readonly strict?: boolean
}

/** `records plan FILE --mapping FILE`: the rows that a payload becomes, in the order in which they are inserted. Writes nothing. */
export const planCommand: Command<PlanCommandOptions> = async (options, context) => {
  const { mapping: mappingFile, sourceKind = 'bytes' } = options
  if (mappingFile === undefined) throw new ArchiverError('USAGE', 'records plan needs --mapping FILE')
  if (sourceKind !== 'text' && sourceKind !== 'bytes')
    throw new ArchiverError('USAGE', `--source-kind: "${sourceKind}" is neither text nor bytes`)
  const mapping = await readMappingFile(mappingFile)
  const bytes = await readInput(options.item)
  const given = options.given === undefined ? undefined : await readGiven(options.given)
  const plan = planItem(sourceKind === 'text' ? bytes.toString('utf8') : bytes, mapping, {
    sourceKey: options.sourceKey,
    now: now(),
    strict: options.strict ?? false,
    given: given && givenStored(given),
  })
  const shown = shownPlan(plan, mapping, options, given)
  context.out(
    options.json ? `${JSON.stringify(shown, null, 2)}\n` : planText(plan, options.showValues ?? false),
  )
  return plan.status === 'success' ? 0 : 1
}

/** A file as it is. Throws NOT_FOUND or RECORD_INVALID with its name. */
export const readInput = async (file: string): Promise<Buffer> => {
  try {
    return await readFile(file)
  } catch (error) {
    throw new ArchiverError(
      errnoOf(error) === 'ENOENT' ? 'NOT_FOUND' : 'RECORD_INVALID',
      `cannot read ${file}: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  }
}

const readGiven = async (file: string): Promise<GivenRows> => {
  try {
    return JSON.parse((await readInput(file)).toString('utf8')) as GivenRows
  } catch (error) {
    if (error instanceof ArchiverError) throw error
    throw new ArchiverError('USAGE', `--given ${file} is no JSON of tables and rows`, { cause: error })
  }
}

const HIDDEN = '***'

const rowObject = (row: Row, showValues: boolean): Record<string, unknown> =>
  Object.fromEntries([...row].map(([name, cell]) => [name, showValues ? cell : HIDDEN]))

const shownPlan = (
  plan: Plan,
  mapping: Mapping,
  options: PlanCommandOptions,
  given: GivenRows | undefined,
): object => {
  const showValues = options.showValues ?? false
  const sourceKey = options.sourceKey
  const source = {
    ...(sourceKey === undefined
      ? {}
      : { source_key: mapping.record.keyType === 'bigint' ? keyShown(sourceKey) : sourceKey }),
    source_kind: options.sourceKind ?? 'bytes',
  }
  const after = given && showValues ? { stored_after: storedAfter(given, plan) } : {}
  if (plan.status === 'failed')
    return { ...source, status: plan.status, ...shownError(plan.error, showValues), rows: {}, ...after }
  const { rows, warnings, result } = plan
  return {
    ...source,
    status: plan.status,
    rows: Object.fromEntries(
      [...rows].map(([table, made]) => [table, made.map((row) => rowObject(row, showValues))]),
    ),
    warnings,
    ...(result === undefined ? {} : { result }),
    order: mapping.tables.map(({ name }) => name),
    ...after,
  }
}

const keyShown = (text: string): number | string => {
  const number = Number(text)
  return /^-?\d+$/.test(text) && Number.isSafeInteger(number) ? number : text
}

/** An error with its place. The key of a row in the way is a value of the payload. */
export const shownError = (error: ItemError, showValues: boolean): object => {
  const { key_of_row: key, ...place } = error.place
  const shown = key && (showValues ? key : Object.fromEntries(Object.keys(key).map((name) => [name, HIDDEN])))
  return {
    stage: error.stage,
    code: error.code,
    ...place,
    ...(shown ? { key_of_row: shown } : {}),
    message: error.message,
    ...(error.others.length > 0
      ? {
          others: error.others.map((other) => ({
            stage: other.stage,
            code: other.code,
            ...other.place,
            message: other.message,
          })),
        }
      : {}),
  }
}

const planText = (plan: Plan, showValues: boolean): string => {
  if (plan.status === 'failed') {
    const errors = [plan.error, ...plan.error.others]
    return `failed\n${errors.map(({ stage, code, message }) => `  ${stage}  ${code}  ${message}\n`).join('')}`
  }
  const lines = [plan.result === 'present' ? 'present: every row is there with the same content' : 'success']
  for (const [table, rows] of plan.rows) {
    lines.push(`${table}: ${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`)
    for (const row of rows)
      lines.push(
        `  ${[...row].map(([name, cell]) => (showValues ? `${name}=${JSON.stringify(cell)}` : name)).join('  ')}`,
      )
  }
  for (const warning of plan.warnings) lines.push(`warning ${Object.values(warning).join('  ')}`)
  return `${lines.join('\n')}\n`
}
