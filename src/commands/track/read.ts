import { open } from 'node:fs/promises'
import { READING } from '../../platform/read-file.ts'
import type { Command, Context } from '../../app/context.ts'
import { printable, printableJson } from '../../common/redact.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import { now } from '../../platform/host.ts'
import { EXECUTION_WORDS, isWord } from '../../tracking/client/operation-fields.ts'
import { taskDays, taskStats } from '../../tracking/client/task-stats.ts'
import {
  eachExecution,
  listExecutions,
  requestCancel,
  type ListedExecution,
  type ListFilter,
} from '../../tracking/client/tracked-queries.ts'
import type { LedgerDatabase } from '../../tracking/ledger/schema-types.ts'
import { isUuid } from '../../tracking/client/tracked-rows.ts'
import {
  daysText,
  executionsText,
  lateText,
  overallText,
  progressText,
  statsText,
  statusText,
} from './read-text.ts'
import { readDatabase } from './read-database.ts'
import { numberOption } from './report.ts'
import { spanOption } from './span.ts'
import { trackSettings, type TrackOptions } from './tracking-settings.ts'

export interface ReadOptions extends TrackOptions {
  readonly task?: string
  readonly stage?: string
  readonly status?: string
  readonly since?: string
  readonly runningLonger?: string
  readonly limit?: string
  readonly byDay?: boolean
  readonly id?: string
  readonly lines?: string
}

const reading =
  (
    read: (database: LedgerDatabase, options: ReadOptions, context: Context) => Promise<number>,
  ): Command<ReadOptions> =>
  async (options, context) =>
    readDatabase(await trackSettings(options, context, { strict: true }), ({ database }) =>
      read(database, options, context),
    )

const json = (value: unknown): string => `${printableJson(value, 2)}\n`

const before = (flag: string, text: string | undefined): number | undefined =>
  text === undefined ? undefined : now() - spanOption(flag, text)

const filterOf = (options: ReadOptions): ListFilter => {
  const longer = before('--running-longer', options.runningLonger)
  return {
    task: options.task,
    stage: options.stage,
    since: before('--since', options.since),
    before: longer,
    status: longer === undefined ? statusOption(options.status) : ['STARTED', 'RUNNING'],
    limit: numberOption('--limit', options.limit) ?? 50,
    now: now(),
  }
}

/** Throws USAGE for a word that no execution has: nothing would be found, as if there were nothing. */
const statusOption = (text: string | undefined): readonly string[] | undefined => {
  const words = text
    ?.toUpperCase()
    .split(',')
    .map((word) => word.trim())
  const wrong = words?.find((word) => !isWord(EXECUTION_WORDS, word))
  if (wrong === undefined) return words
  throw new ArchiverError('USAGE', `--status: "${wrong}" must be one of ${EXECUTION_WORDS.join(', ')}`)
}

/** As many as were asked for, and whether there are more. */
const partOf = async (
  database: LedgerDatabase,
  filter: ListFilter,
): Promise<{ executions: ListedExecution[]; more: boolean }> => {
  const found = await listExecutions(database, { ...filter, limit: filter.limit + 1 })
  return { executions: found.slice(0, filter.limit), more: found.length > filter.limit }
}

const moreText = (more: boolean, { limit }: ListFilter): string =>
  more ? `... and more: these are the newest ${limit}, --limit shows others\n` : ''

/** `track current`: the newest execution of each task. */
export const trackCurrent = reading(async (database, options, context) => {
  const filter = { ...filterOf(options), newest: true }
  const part = await partOf(database, filter)
  const { lateTasks } = await import('../../tracking/alerts/gather-facts.ts')
  const late = await lateTasks(database, now())
  context.out(
    options.json
      ? json({ ...part, late })
      : executionsText(part.executions, now()) + moreText(part.more, filter) + lateText(late),
  )
  return 0
})

const showList = async (
  database: LedgerDatabase,
  options: ReadOptions,
  context: Context,
): Promise<number> => {
  const filter = filterOf(options)
  const part = await partOf(database, filter)
  context.out(
    options.json ? json(part) : executionsText(part.executions, now()) + moreText(part.more, filter),
  )
  return 0
}

/** `track list`: executions, the newest first. */
export const trackList = reading(showList)

/** `track history`: past executions; with `--by-day` how many each day had, how many failed, and how long they took. */
export const trackHistory = reading(async (database, options, context) => {
  if (!options.byDay) return showList(database, options, context)
  const since = before('--since', options.since)
  const limit = numberOption('--limit', options.limit)
  const days = (await taskDays(database, { task: options.task, since })).slice(0, limit)
  context.out(options.json ? json({ days }) : daysText(days))
  return 0
})

/** `track show ID`: one execution, its progress in two lines, its steps and its events. */
export const trackShow = reading(async (database, options, context) => {
  const { pastExecution } = await import('../../tracking/ledger/history-queries.ts')
  const id = options.id ?? ''
  const execution = await pastExecution(database, id)
  if (!execution) throw notFound(id)
  const [listed] = await listExecutions(database, { runId: execution.runId, limit: 1, now: now() })
  if (options.json) context.out(json({ ...execution, progress: listed }))
  else {
    const { executionText } = await import('../history-text.ts')
    // In the words of `track current` and `track list`; `history show` has those of process_logs.
    const own = listed ? { status: statusText(listed), message: overallText(listed) } : {}
    context.out(executionText(execution, now(), own) + (listed ? progressText(listed) : ''))
  }
  return 0
})

const notFound = (id: string): ArchiverError =>
  new ArchiverError('NOT_FOUND', `there is no execution "${id}"`, {
    hint: 'run-archiver track list shows run ids',
  })

/** `track stats`: success rate and durations by task. */
export const trackStats = reading(async (database, options, context) => {
  const since = before('--since', options.since ?? '30d')
  const stats = await taskStats(database, { task: options.task, since })
  context.out(options.json ? json({ stats }) : statsText(stats))
  return 0
})

/** `track export`: one JSON line for each execution, the newest first. */
export const trackExport = reading(async (database, options, context) => {
  const limit = numberOption('--limit', options.limit) ?? Infinity
  for await (const execution of eachExecution(database, { ...filterOf(options), limit }))
    context.out(`${printableJson(execution)}\n`)
  return 0
})

/** `track cancel ID`: asks a running execution to stop. `track run` looks with each sign of life and ends its command. */
export const trackCancel = reading(async (database, options, context) => {
  const id = options.id ?? ''
  const asked = isUuid(id) && (await requestCancel(database, id.toLowerCase(), now()))
  if (!asked)
    throw new ArchiverError('NOT_FOUND', `no execution "${id}" is running`, {
      hint: 'run-archiver track current',
    })
  context.out(options.json ? json({ cancelRequested: id }) : `asked ${id} to stop\n`)
  return 0
})

/** `track tail ID`: the end of its log, where that is a file of this host. */
export const trackTail = reading(async (database, options, context) => {
  const id = options.id ?? ''
  const runId = id.toLowerCase()
  const [execution] = isUuid(runId) ? await listExecutions(database, { runId, limit: 1, now: now() }) : []
  if (!execution) throw notFound(id)
  if (execution.logPath === null) throw new ArchiverError('NOT_FOUND', `the execution "${id}" has no log`)
  const lines = await lastLines(execution.logPath, numberOption('--lines', options.lines) ?? 50)
  context.out(
    options.json ? json({ logPath: execution.logPath, lines }) : lines.map((line) => `${line}\n`).join(''),
  )
  return 0
})

/** As much of a log as is read for its last lines. */
const TAIL_BYTES = 262_144

const lastLines = async (path: string, count: number): Promise<string[]> => {
  try {
    const file = await open(path, READING)
    try {
      const { size } = await file.stat()
      const from = Math.max(0, size - TAIL_BYTES)
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from)
      const lines = buffer.subarray(0, bytesRead).toString('utf8').split('\n')
      if (lines.at(-1) === '') lines.pop()
      return lines.slice(-count).map(printable)
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw new ArchiverError('NOT_FOUND', `its log cannot be read: ${messageOf(cause)}`, { cause })
  }
}

/** `track migrate-schema`: makes the tables, or brings them to this program's version. Opening the database does it. */
export const trackMigrateSchema = reading(async (database, options, context) => {
  const { sql } = await import('kysely')
  await sql`SELECT 1`.execute(database.kysely)
  const where = database.schema === undefined ? '' : ` in schema ${database.schema}`
  context.out(
    options.json ? json({ schema: database.schema ?? null }) : `the tables of executions are there${where}\n`,
  )
  return 0
})
