import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type Context, untilStopped } from '../../app/context.ts'
import { ArchiverError, errnoOf, messageOf } from '../../errors.ts'
import { now } from '../../platform/host.ts'
import { ItemError } from '../../records/item-error.ts'
import type { Row } from '../../records/map/map-row.ts'
import type { Mapping } from '../../records/mapping/model.ts'
import { givenStored, planItem, storedAfter, type GivenRows, type Plan } from '../../records/plan.ts'
import { planIntoTarget } from '../../records/run/plan-into-target.ts'
import { classOf } from '../../records/sql/classify-error.ts'
import type { RecordsDatabase } from '../../records/sql/database.ts'
import { readMappingFile } from './mapping-file.ts'
import type { TargetFlags } from './named-target.ts'
import { openTaskSource, readTask, type ReadTask } from './open-task.ts'

export interface PlanCommandOptions extends TargetFlags {
  /** A file with a payload, or the key of a source row. */
  readonly item: string
  readonly mapping?: string
  /** The task whose source has the key `item`; else `item` is a file. */
  readonly task?: string
  readonly config?: string
  readonly json?: boolean
  readonly showValues?: boolean
  readonly sourceKey?: string | undefined
  readonly sourceKind?: string
  readonly given?: string
  readonly strict?: boolean
}

/**
 * `records plan FILE --mapping FILE`, or `records plan KEY --task TASK`: the rows that a payload becomes, in the order in which they are inserted.
 * A key's rows are held against the columns and the rows of the target as well. Writes nothing. Throws USAGE, MAPPING_INVALID, NOT_FOUND, and what the source throws.
 */
export const planCommand = untilStopped<PlanCommandOptions>(async (options, context) => {
  const { payload, mapping, target, ...source } =
    options.task === undefined
      ? await itemOfFile(options)
      : await itemOfSource({ ...options, task: options.task }, context)
  const given = options.given === undefined ? undefined : await readGiven(options.given)
  const mapped = planItem(payload, mapping, {
    sourceKey: source.sourceKey,
    now: now(),
    strict: options.strict ?? false,
    given: given && givenStored(given),
  })
  const plan = target && !given ? await plannedInto(target, mapped, mapping, context) : mapped
  const shown = shownPlan(plan, mapping, { ...options, ...source }, given)
  context.out(
    options.json ? `${JSON.stringify(shown, null, 2)}\n` : planText(plan, options.showValues ?? false),
  )
  return plan.status === 'success' ? 0 : 1
})

/** What is planned, and how its source is named in what is shown. */
interface PlannedItem {
  readonly payload: string | Uint8Array
  readonly mapping: Mapping
  readonly sourceKey: string | undefined
  readonly sourceKind: 'text' | 'bytes'
  readonly target?: Pick<ReadTask, 'targetPlace' | 'openTarget'>
}

const itemOfFile = async (options: PlanCommandOptions): Promise<PlannedItem> => {
  const { item, mapping, sourceKey, sourceKind = 'bytes' } = options
  if (mapping === undefined)
    throw new ArchiverError(
      'USAGE',
      'records plan needs --mapping FILE, or --task TASK for a key of its source',
    )
  if (sourceKind !== 'text' && sourceKind !== 'bytes')
    throw new ArchiverError('USAGE', `--source-kind: "${sourceKind}" is neither text nor bytes`)
  const read = await readMappingFile(mapping)
  const bytes = await readInput(item)
  return {
    payload: sourceKind === 'text' ? bytes.toString('utf8') : bytes,
    mapping: read,
    sourceKey,
    sourceKind,
  }
}

/** The payload of a key, from the source of a task. No payload is an empty one, as when the task runs. */
const itemOfSource = async (
  options: PlanCommandOptions & { readonly task: string },
  context: Context,
): Promise<PlannedItem> => {
  const { item, task, config = 'config.yaml' } = options
  const read = await readTask({ ...options, config }, context)
  const { source, sourceName } = await openTaskSource(read, { ...options, config })
  try {
    const payload = await source.read(item).catch((error: unknown) => {
      if (!(error instanceof ItemError)) throw error
      throw new ArchiverError('RECORD_INVALID', `task ${task}, item ${item}: ${error.message}`, {
        cause: error,
      })
    })
    if (payload === undefined)
      throw new ArchiverError('NOT_FOUND', `task ${task}: ${sourceName} has no item ${item}`)
    const isBytes = payload instanceof Uint8Array
    return {
      payload: payload ?? '',
      mapping: read.mapping,
      sourceKey: item,
      sourceKind: isBytes ? 'bytes' : 'text',
      target: read,
    }
  } finally {
    await source.close()
  }
}

/** A plan as the target would take it. Where it cannot be asked, standard error says so and the plan stays as it is. */
const plannedInto = async (
  { targetPlace, openTarget }: NonNullable<PlannedItem['target']>,
  mapped: Plan,
  mapping: Mapping,
  context: Context,
): Promise<Plan> => {
  const place = targetPlace()
  // Opening a file makes it.
  if (place.dialect === 'sqlite' && !existsSync(place.file)) return mapped
  let target: RecordsDatabase | undefined
  try {
    target = await openTarget()
    const { plan, missing } = await planIntoTarget(mapped, mapping, target)
    if (missing.length > 0) context.err(`the target has no ${missing.join(', ')}: no item can be stored\n`)
    return plan
  } catch (error) {
    context.err(
      `the target cannot be asked whether it takes the rows (${classOf(error)}): ${messageOf(error)}\n`,
    )
    return mapped
  } finally {
    await target?.close()
  }
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
          others: error.others.map((other) => shownError(other, showValues)),
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
