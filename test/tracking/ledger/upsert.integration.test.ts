import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LedgerDatabase } from '../../../src/tracking/ledger/schema-types.ts'
import { tables } from '../../../src/tracking/ledger/ledger-tables.ts'
import { migrateLedger } from '../../../src/tracking/ledger/migrate-ledger.ts'
import { prune } from '../../../src/tracking/ledger/prune.ts'
import type { Row } from '../../../src/tracking/ledger/row.ts'
import { timeMs, timeText } from '../../../src/sql/timestamps.ts'
import { writeRows } from '../../../src/tracking/ledger/upsert.ts'
import { engines, freshPlace, type Place } from './engines.ts'

const ID = '6f1f5a68-95a0-4c0f-b1a5-4a1a3cfe0001'
const file = (run: number, revision: number, state = 'done'): Row => ({
  table: 'files',
  cells: {
    run_id: ID,
    stage: 'import',
    run,
    file_name: String(run),
    state,
    started_at: '2025-01-01 00:00:00.000',
    error_message: '\u00e9 \u{1F600} " \\ % \u0027',
    revision,
  },
  transient: false,
})

describe.each(await engines())('rows on %s', (dialect) => {
  let place: Place
  let database: LedgerDatabase
  const write = (rows: readonly Row[]): Promise<void> =>
    writeRows(database.kysely, rows, database.dialect, database.schema)
  const stored = () =>
    tables(database).selectFrom('files').select(['file_name', 'state', 'revision']).execute()
  beforeAll(async () => {
    place = await freshPlace(dialect)
    database = await place.open()
    await migrateLedger(database, { now: () => 0, by: 'test' })
  })
  afterAll(async () => {
    await database.close()
    await place.drop()
  })

  it('may be written twice and out of order: the newest stays', async () => {
    await write([file(1, 5)])
    await write([file(1, 5)])
    await write([file(1, 3, 'running')])
    expect(await stored()).toEqual([{ file_name: '1', state: 'done', revision: 5 }])
    await write([file(1, 6, 'failed')])
    expect(await stored()).toEqual([{ file_name: '1', state: 'failed', revision: 6 }])
  })

  it('are all written or none', async () => {
    const bad: Row = { table: 'files', cells: { ...file(3, 1).cells, state: null }, transient: false }
    await expect(write([file(2, 1), bad])).rejects.toThrow()
    expect((await stored()).map((row) => row.file_name)).toEqual(['1'])
  })

  it('come by thousands', async () => {
    await write(Array.from({ length: 1500 }, (_item, i) => file(100 + i, 1)))
    expect(await stored()).toHaveLength(1501)
    const [row] = await tables(database).selectFrom('files').select('error_message').limit(1).execute()
    expect(row?.error_message).toBe(file(1, 1).cells['error_message'])
  })

  it('give back the moment that was written, to the millisecond', async () => {
    const at = Date.UTC(2025, 11, 20, 14, 30, 0, 120)
    await write([
      {
        table: 'events',
        cells: { run_id: ID, seq: 1, at: timeText(at), kind: 'x', detail: '{"a":1}' },
        transient: false,
      },
    ])
    const event = await tables(database).selectFrom('events').selectAll().executeTakeFirstOrThrow()
    expect(timeMs(event.at)).toBe(at)
    expect(JSON.parse(event.detail ?? '')).toEqual({ a: 1 })
  })

  it('are removed when they are old, but never those of an execution that runs', async () => {
    const now = Date.UTC(2025, 5, 1)
    const day = 86_400_000
    const execution = (id: number, ended: number | undefined): Row => ({
      table: 'executions',
      cells: {
        run_id: `6f1f5a68-95a0-4c0f-b1a5-4a1a3cfe1${String(id).padStart(3, '0')}`,
        task_name: 't',
        hostname: 'h',
        process_id: 1,
        execution_start: timeText(now - 100 * day),
        execution_end: ended === undefined ? null : timeText(ended),
        execution_status: ended === undefined ? 'RUNNING' : 'FINISHED',
        last_update: timeText(now),
        revision: 1,
      },
      transient: false,
    })
    await write([
      ...Array.from({ length: 120 }, (_x, i) => execution(i, now - 91 * day)),
      execution(200, now - 89 * day),
      execution(201, undefined),
    ])
    await sql`SELECT 1`.execute(database.kysely)
    expect(await prune(database, { keepDays: 0, now, limit: 1000 })).toBe(0)
    expect(await prune(database, { keepDays: 90, now, limit: 70 })).toBe(70)
    expect(await prune(database, { keepDays: 90, now, limit: 1000 })).toBe(50)
    const left = await tables(database)
      .selectFrom('executions')
      .select('execution_status')
      .orderBy('execution_id')
      .execute()
    expect(left.map((row) => row.execution_status)).toEqual(['FINISHED', 'RUNNING'])
  })
})
