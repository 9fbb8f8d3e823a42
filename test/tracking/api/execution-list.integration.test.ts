import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { timeText } from '../../../src/sql/timestamps.ts'
import { listExecutions, type ExecutionWish } from '../../../src/tracking/api/execution-list.ts'
import { eachExecution } from '../../../src/tracking/client/tracked-queries.ts'
import { tables } from '../../../src/tracking/ledger/ledger-tables.ts'
import { migrateLedger } from '../../../src/tracking/ledger/migrate-ledger.ts'
import type { LedgerDatabase } from '../../../src/tracking/ledger/schema-types.ts'
import { engines, freshPlace, type Place } from '../ledger/engines.ts'

const NOW = Date.UTC(2026, 10, 28, 12)
const ENDS = [
  ['RUNNING', null],
  ['FINISHED', 'ok'],
  ['FINISHED', null],
  ['FINISHED', 'partial'],
  ['FINISHED', 'ok'],
  ['FAILED', 'error'],
  ['FAILED', null],
  ['FAILED', 'terminated'],
  ['FAILED', 'system_reboot'],
  ['CANCELLED', 'signal'],
  ['CANCELLED', 'user'],
] as const
const COUNT = 240

describe.each(await engines())('the list of executions on %s', (dialect) => {
  let place: Place
  let database: LedgerDatabase
  let newest = ''
  beforeAll(async () => {
    place = await freshPlace(dialect)
    database = await place.open()
    await migrateLedger(database, { now: () => NOW, by: 'test' })
    const rows = Array.from({ length: COUNT }, (_, i) => {
      const [status, reason] = ENDS[i % ENDS.length] ?? ENDS[0]
      // Five at a time begin in one moment.
      const start = timeText(NOW - Math.floor(i / 5) * 60_000)
      const end = status === 'RUNNING' ? null : start
      newest = i === 0 ? randomUUID() : newest
      return {
        ...{
          run_id: i === 0 ? newest : randomUUID(),
          task_name: `T_${i % 7}`,
          task_stage: i % 2 ? 'DAILY' : 'STATIC',
        },
        ...{
          hostname: `h${i % 3}`,
          process_id: 1,
          execution_start: start,
          execution_end: end,
          last_update: start,
        },
        ...{ execution_status: status, end_reason: reason, revision: 1 },
        error_message: i % 100 === 99 ? 'a needle' : null,
      }
    })
    await tables(database).insertInto('executions').values(rows).execute()
  })
  afterAll(async () => {
    await database.close()
    await place.drop()
  })

  const everything = async (wish: Partial<ExecutionWish>) => {
    const found = []
    let cursor: string | undefined
    let parts = 0
    do {
      const { items, next } = await listExecutions(database, { limit: 7, ...wish, cursor }, NOW)
      found.push(...items)
      cursor = next
      parts += 1
    } while (cursor !== undefined && parts < 500)
    return { found, parts }
  }

  it.each([
    {},
    ...['ok', 'partial', 'failed', 'killed', 'terminated', 'reboot', 'running', 'skipped'].map(
      (standing) => ({ standing }),
    ),
    { standing: 'failed', task: 'T_3' },
    { standing: 'failed', host: 'h1' },
    { stage: 'DAILY', standing: 'ok' },
    { host: 'h2', from: NOW - 900_000, to: NOW - 300_000 },
  ])('in parts is the whole list, each once and in order: %j', async (wish) => {
    const all = (await listExecutions(database, { limit: 1000 }, NOW)).items
    expect(all).toHaveLength(COUNT)
    const { standing, task, stage, host, from = -Infinity, to = Infinity } = wish as ExecutionWish
    const live = standing === 'running' ? ['running', 'hung'] : [standing]
    const wanted = all.filter(
      (one) =>
        (standing === undefined || live.includes(one.standing)) &&
        (task === undefined || one.task === task) &&
        (stage === undefined || one.stage === stage) &&
        (host === undefined || one.host === host) &&
        one.startedAt >= from &&
        one.startedAt < to,
    )
    if (standing !== 'skipped') expect(wanted.length).toBeGreaterThan(0)
    const { found } = await everything(wish)
    expect(found.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id))
  })

  // Others keep no more than milliseconds.
  if (dialect === 'postgres')
    it('has each execution once whose start has microseconds, as SQL of one’s own writes them', async () => {
      const starts = ['.123456', '.123200', '.1231', '.123', '.122999', '.12']
      for (const [i, start] of starts.entries())
        await sql`INSERT INTO ${sql.raw(`${database.schema ?? 'tasker'}.executions`)} (run_id, task_name, hostname, process_id, execution_start, execution_status)
          VALUES (${randomUUID()}, 'micros', ${`h${i}`}, 1, ${`2020-01-01 10:00:00${start}`}, 'FINISHED')`.execute(
          database.kysely,
        )
      const { found } = await everything({ task: 'micros', limit: 1 })
      expect(found.map(({ host }) => host)).toEqual(starts.map((_, i) => `h${i}`))
      const exported = []
      for await (const one of eachExecution(database, { task: 'micros', limit: 100, now: NOW }, 1))
        exported.push(one)
      expect(exported.map(({ id }) => id)).toEqual(found.map(({ id }) => id))
      await tables(database).deleteFrom('executions').where('task_name', '=', 'micros').execute()
    })

  it('searches a text in parts that end even where nothing is found', async () => {
    const { found, parts } = await everything({ text: 'needle', searched: 50 })
    expect(found.map(({ error }) => error)).toEqual(['a needle', 'a needle'])
    expect(parts).toBe(5)
    expect(await everything({ text: 'nowhere', searched: 50 })).toEqual({ found: [], parts: 5 })
  })

  it('finds a run id by its beginning', async () => {
    for (const length of [8, 12, 36]) {
      const { items } = await listExecutions(database, { limit: 10, text: newest.slice(0, length) }, NOW)
      expect(items.map(({ runId }) => runId)).toEqual([newest])
    }
  })

  // EXPLAIN has no common form.
  if (dialect === 'sqlite')
    it('finds what is rare by an index of its own', async () => {
      const plan = async (where: string): Promise<string> => {
        const statement = `EXPLAIN QUERY PLAN SELECT * FROM executions WHERE ${where} ORDER BY execution_start DESC LIMIT 9`
        const { rows } = await sql.raw<{ detail: string }>(statement).execute(database.kysely)
        return rows.map(({ detail }) => detail).join()
      }
      expect(await plan(`execution_status IN ('STARTED', 'RUNNING')`)).toMatch(
        /SEARCH.*status|idx_executions_(?:open|no_reason)/,
      )
      expect(await plan(`execution_status = 'FAILED' AND end_reason = 'x' AND end_reason <> 'ok'`)).toContain(
        'idx_executions_bad',
      )
      // And the newest of a task never by them: that would sort all that ended.
      const newestOfTask = `task_name = 'T_1' AND execution_status = 'FINISHED' AND (end_reason IS NULL OR end_reason = 'ok')`
      expect(await plan(newestOfTask)).toContain('idx_executions_task_name')
    })
})
