import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { timeText } from '../../../src/sql/timestamps.ts'
import { archiveExecutions, countOlder } from '../../../src/tracking/ledger/archive-executions.ts'
import { tables } from '../../../src/tracking/ledger/ledger-tables.ts'
import { writeLedger } from '../../../src/tracking/ledger/ledger-database.ts'
import { migrateLedger } from '../../../src/tracking/ledger/migrate-ledger.ts'
import { pruneMetrics } from '../../../src/tracking/ledger/prune.ts'
import { registerTask } from '../../../src/tracking/ledger/registered-tasks.ts'
import type { Row } from '../../../src/tracking/ledger/row.ts'
import type { LedgerDatabase } from '../../../src/tracking/ledger/schema-types.ts'
import { qualified } from '../../../src/tracking/ledger/tables.ts'
import { engines, freshPlace, type Place } from './engines.ts'

const NOW = Date.parse('2026-11-28T12:00:00Z')
const DAY = 86_400_000
const idOf = (number: number): string => `a0000000-0000-4000-8000-${String(number).padStart(12, '0')}`
const refuse = (_row: Row, error: Error): never => {
  throw error
}

describe.each(await engines())('executions on %s', (dialect) => {
  let place: Place
  let database: LedgerDatabase
  beforeEach(async () => {
    place = await freshPlace(dialect)
    database = await place.open()
    await migrateLedger(database, { now: () => NOW, by: 'test' })
  })
  afterEach(async () => {
    await database.close()
    await place.drop()
  })

  /** An execution that ended so many days ago. */
  const ended = (number: number, daysAgo: number, error?: string): Row => ({
    table: 'executions',
    transient: false,
    cells: {
      ...{
        run_id: idOf(number),
        task_name: 'DAILY_01',
        task_stage: 'DAILY',
        hostname: 'h',
        process_id: number,
      },
      execution_start: timeText(NOW - daysAgo * DAY - 60_000),
      execution_end: timeText(NOW - daysAgo * DAY),
      last_update: timeText(NOW - daysAgo * DAY),
      execution_status: error === undefined ? 'FINISHED' : 'FAILED',
      end_reason: error === undefined ? 'ok' : 'error',
      error_message: error ?? null,
      environment: '{"a": 1}',
      revision: 3,
    },
  })
  const write = (...rows: Row[]) => writeLedger(database, rows, refuse)
  const count = async (table: 'executions' | 'executions_history'): Promise<number> =>
    (await tables(database).selectFrom(table).select('run_id').execute()).length

  it('that ended long ago move to the history, whole, and each is in one table', async () => {
    const old = Array.from({ length: 250 }, (_, i) => ended(i, 91 + (i % 70)))
    const open = {
      ...ended(900, 200).cells,
      execution_status: 'RUNNING',
      execution_end: null,
      end_reason: null,
    }
    await write(...old, ended(901, 89), { table: 'executions', transient: false, cells: open })
    const [before] = await tables(database)
      .selectFrom('executions')
      .selectAll()
      .where('run_id', '=', idOf(7))
      .execute()
    expect(await countOlder(database, NOW - 90 * DAY)).toBe(250)
    expect(await archiveExecutions(database, NOW - 90 * DAY)).toBe(250)
    expect([await count('executions'), await count('executions_history')]).toEqual([2, 250])
    const [after] = await tables(database)
      .selectFrom('executions_history')
      .selectAll()
      .where('run_id', '=', idOf(7))
      .execute()
    expect(after).toEqual(before)
    expect(await archiveExecutions(database, NOW - 90 * DAY)).toBe(0)
    if (dialect !== 'postgres') return
    const partitions = await sql<{ name: string; count: string }>`
      SELECT tableoid::regclass::text AS name, count(*) FROM ${sql.raw(qualified(database.schema, 'executions_history'))}
      GROUP BY 1 ORDER BY 1`.execute(database.kysely)
    expect(partitions.rows.map(({ name }) => name)).toContain('tasker.executions_history_2026_08')
    expect(partitions.rows.map(({ name }) => name)).not.toContain('tasker.executions_history_default')
  })

  it('stay where they are when a copy is not what was copied', async () => {
    await write(ended(1, 100))
    const history = sql.raw(qualified(database.schema, 'executions_history'))
    if (dialect === 'postgres') {
      await sql`CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.task_name := ''x''; RETURN NEW; END'`.execute(
        database.kysely,
      )
      await sql`CREATE TRIGGER spoil BEFORE INSERT ON ${history} FOR EACH ROW EXECUTE FUNCTION spoil()`.execute(
        database.kysely,
      )
    } else if (dialect === 'mysql')
      await sql`CREATE TRIGGER spoil BEFORE INSERT ON executions_history FOR EACH ROW SET NEW.task_name = 'x'`.execute(
        database.kysely,
      )
    else
      await sql`CREATE TRIGGER spoil AFTER INSERT ON executions_history BEGIN UPDATE executions_history SET task_name = 'x'; END`.execute(
        database.kysely,
      )
    await expect(archiveExecutions(database, NOW - 90 * DAY)).rejects.toThrow(/not what was copied/)
    expect([await count('executions'), await count('executions_history')]).toEqual([1, 0])
  })

  it('that failed are counted by day and class of message, and again without counting twice', async () => {
    await write(
      ended(1, 0, 'run 7: disk /data/a is full'),
      ended(2, 0, 'run 12: disk /mnt/b is full'),
      ended(3, 0, 'refused'),
    )
    await write(ended(3, 0, 'refused'))
    const rows = await tables(database).selectFrom('daily_failures').selectAll().orderBy('failures').execute()
    expect(rows.map(({ message_class: message, failures }) => [message, failures])).toEqual([
      ['refused', 1],
      ['run <n>: disk <path> is full', 2],
    ])
    expect(rows[1]).toMatchObject({ task_name: 'DAILY_01', day: '2026-11-28', last_run_id: idOf(2) })
    const stats = await tables(database).selectFrom('daily_stats').selectAll().execute()
    expect(stats).toMatchObject([{ executions: 3, failed: 3, ok: 0 }])
  })

  it('bring their tasks and stages along, which then keep what is registered', async () => {
    await write(ended(1, 0))
    const tasksNow = () => tables(database).selectFrom('tasks').selectAll().orderBy('task_name').execute()
    expect(await tasksNow()).toMatchObject([{ task_name: 'DAILY_01', task_stage: 'DAILY', schedule: null }])
    expect(await tables(database).selectFrom('stages').selectAll().execute()).toMatchObject([
      { stage_name: 'DAILY', stage_order: 3 },
    ])
    await registerTask(database, 'DAILY_01', { schedule: '06:00', grace_minutes: 15 })
    await registerTask(database, 'DAILY_02', { depends_on: ['DAILY_01'] })
    await expect(registerTask(database, 'DAILY_01', { depends_on: ['DAILY_02'] })).rejects.toThrow(
      /depend on each other/,
    )
    await write(ended(2, 0))
    expect(await tasksNow()).toMatchObject([
      { task_name: 'DAILY_01', schedule: '06:00', grace_minutes: 15, depends_on: null },
      { task_name: 'DAILY_02', depends_on: expect.stringMatching(/^\["DAILY_01"\]$/) as string },
    ])
  })

  it('lose their measurements after 30 days', async () => {
    const at = (days: number): Row => ({
      table: 'process_metrics',
      transient: true,
      cells: { run_id: idOf(1), at: timeText(NOW - days * DAY), memory_mb: days },
    })
    await write(at(29), at(31))
    await pruneMetrics(database, NOW)
    expect(await tables(database).selectFrom('process_metrics').select('memory_mb').execute()).toEqual([
      { memory_mb: 29 },
    ])
  })
})
