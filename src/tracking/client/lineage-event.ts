import { timeMs } from '../../sql/timestamps.ts'
import type { Cell } from '../ledger/row.ts'

/** https://openlineage.io/spec/2-0-2/OpenLineage.json */
const SCHEMA = 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent'
const FACETS = 'https://openlineage.io/spec/facets'

export type LineageType = 'START' | 'RUNNING' | 'COMPLETE' | 'FAIL' | 'ABORT'

const TYPES: Readonly<Record<string, LineageType>> = {
  STARTED: 'START',
  RUNNING: 'RUNNING',
  FINISHED: 'COMPLETE',
  FAILED: 'FAIL',
  CANCELLED: 'ABORT',
}

/** Which event a row of `executions` stands for. */
export const lineageType = (cells: Readonly<Record<string, Cell>>): LineageType | undefined =>
  TYPES[String(cells['execution_status'])]

export interface LineageContext {
  readonly namespace: string
  readonly version: string
  /** The task of the execution that this one is a part of, where it is known. */
  readonly parentTask: string | undefined
}

/**
 * An OpenLineage RunEvent of a row of `executions`. `run.runId` is the run id, `job.name` the task. What a pipeline reads and writes is not known, so
 * `inputs` and `outputs` are empty.
 */
export const lineageEvent = (
  type: LineageType,
  cells: Readonly<Record<string, Cell>>,
  { namespace, version, parentTask }: LineageContext,
) => {
  const producer = `urn:run-record-archiver:${version}`
  const facet = (release: string, name: string, fields: object): object => ({
    _producer: producer,
    // A JSON pointer to the definition, as BaseFacet asks.
    _schemaURL: `${FACETS}/${release}/${name}.json#/$defs/${name}`,
    ...fields,
  })
  const text = (name: string): string | undefined => {
    const cell = cells[name]
    return cell == null ? undefined : String(cell)
  }
  const error = text('error_message')
  const parent = text('parent_run_id')
  const at =
    type === 'START'
      ? text('execution_start')
      : type === 'RUNNING'
        ? text('last_update')
        : (text('execution_end') ?? text('last_update'))
  return {
    eventType: type,
    eventTime: new Date(timeMs(at ?? '')).toISOString(),
    producer,
    schemaURL: SCHEMA,
    run: {
      runId: text('run_id') ?? '',
      facets: {
        ...((type === 'FAIL' || type === 'ABORT') && error !== undefined
          ? {
              errorMessage: facet('1-0-1', 'ErrorMessageRunFacet', {
                message: error,
                programmingLanguage: (text('task_type') ?? 'unknown').toUpperCase(),
                stackTrace: text('error_detail'),
              }),
            }
          : {}),
        ...(parent !== undefined && parentTask !== undefined
          ? {
              parent: facet('1-0-1', 'ParentRunFacet', {
                run: { runId: parent },
                job: { namespace, name: parentTask },
              }),
            }
          : {}),
      },
    },
    job: {
      namespace,
      name: text('task_name') ?? 'unknown',
      facets: {
        jobType: facet('2-0-3', 'JobTypeJobFacet', {
          processingType: 'BATCH',
          integration: 'RUN_RECORD_ARCHIVER',
          jobType: 'TASK',
        }),
      },
    },
    inputs: [],
    outputs: [],
  }
}

export type LineageEvent = ReturnType<typeof lineageEvent>
