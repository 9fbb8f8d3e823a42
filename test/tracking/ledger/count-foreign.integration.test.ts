import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { timeText } from '../../../src/sql/timestamps.ts'
import { checkAlerts } from '../../../src/tracking/alerts/check-alerts.ts'
import { countForeign } from '../../../src/tracking/ledger/count-foreign.ts'
import { tables } from '../../../src/tracking/ledger/ledger-tables.ts'
import { migrateLedger } from '../../../src/tracking/ledger/migrate-ledger.ts'
import type { LedgerDatabase } from '../../../src/tracking/ledger/schema-types.ts'
import { qualified } from '../../../src/tracking/ledger/tables.ts'
import { engines, freshPlace, type Place } from './engines.ts'

const NOW = Date.parse('2026-11-28T12:00:00Z')
const HOUR = 3_600_000

describe.each(await engines())('executions that a script wrote as SQL to %s', (dialect) => {
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
  let number = 0
  /** As the seed's own INSERT and UPDATE leave it. */
  const write = async (task: string, hoursAgo: number, status: string, error: string | null = null) => {
    const id = `e0000000-0000-4000-8000-${String(++number).padStart(12, '0')}`
    const start = timeText(NOW - hoursAgo * HOUR)
    const end = timeText(NOW - hoursAgo * HOUR + 60_000)
    await sql`INSERT INTO ${sql.raw(qualified(database.schema, 'executions'))}
      (run_id, task_name, task_stage, task_type, hostname, process_id, execution_start, execution_end, last_update, execution_status, error_message)
      VALUES (${id}, ${task}, 'DAILY', 'R', 'elsewhere', 7, ${start}, ${end}, ${end}, ${status}, ${error})`.execute(
      database.kysely,
    )
  }

  it('are counted by day, once, and again where more have come', async () => {
    await write('DAILY_R', 1, 'FINISHED')
    await write('DAILY_R', 2, 'FAILED', 'no disk at /data/a')
    await write('DAILY_R', 30, 'FINISHED')
    expect(await countForeign(database, NOW, 3)).toEqual([
      { task: 'DAILY_R', day: '2026-11-28' },
      { task: 'DAILY_R', day: '2026-11-27' },
    ])
    expect(await countForeign(database, NOW, 3)).toEqual([])
    await write('DAILY_R', 3, 'CANCELLED')
    expect(await countForeign(database, NOW, 3)).toHaveLength(1)
    const days = await tables(database).selectFrom('daily_stats').selectAll().orderBy('day').execute()
    expect(days).toMatchObject([
      { day: '2026-11-27', executions: 1, ok: 1 },
      { day: '2026-11-28', executions: 3, ok: 1, failed: 1 },
    ])
    expect(await tables(database).selectFrom('daily_failures').selectAll().execute()).toMatchObject([
      { task_name: 'DAILY_R', failures: 1, message_class: 'no disk at <path>' },
    ])
    expect(await tables(database).selectFrom('tasks').selectAll().execute()).toMatchObject([
      { task_name: 'DAILY_R', task_stage: 'DAILY', task_type: 'R' },
    ])
  })

  it('are watched by the alerts', async () => {
    await write('DAILY_R', 1, 'FAILED', 'no disk')
    const result = await checkAlerts(database, {
      ...{ channels: [], now: NOW, host: 'h', redact: (text: string) => text, timeout: 1000 },
      warn: () => undefined,
      site: { stages: [], disks: [], logs: [], damaged: new Map<number, string>() },
    })
    expect(result.found).toMatchObject([{ rule: 'failed', subject: 'DAILY_R', detail: 'no disk' }])
  })
})
