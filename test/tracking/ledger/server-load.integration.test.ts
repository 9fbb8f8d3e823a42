import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { redact } from '../../../src/common/redact.ts'
import { TaskEvents } from '../../../src/rows/task-events.ts'
import type { RowsEvent } from '../../../src/rows/events.ts'
import { ExecutionRecord } from '../../../src/tracking/ledger/execution.ts'
import { writeLedger } from '../../../src/tracking/ledger/ledger-database.ts'
import { migrateLedger } from '../../../src/tracking/ledger/migrate-ledger.ts'
import type { LedgerDatabase } from '../../../src/tracking/ledger/schema-types.ts'
import { engines, freshPlace, type Place } from './engines.ts'

const COUNTS = { requested: 1, inserted: 1, deleted: 1, childrenInserted: 0, childrenDeleted: 0 }

describe.each(await engines())('a move of rows in the ledger on %s', (dialect) => {
  let place: Place
  let database: LedgerDatabase
  beforeEach(async () => {
    place = await freshPlace(dialect)
    database = await place.open()
    await migrateLedger(database, { now: Date.now, by: 'test' })
  })
  afterEach(async () => {
    await database.close()
    await place.drop()
  })

  /** What `process_logs` says of an execution after these events. */
  const logged = async (...events: RowsEvent[]): Promise<unknown> => {
    const facts = { task: 'rows:orders', subject: 'orders', steps: 1, argv: [], version: '1' }
    const identity = { pid: 1, host: 'h', user: 'u', bootId: 'b', startTicks: 1 }
    const runId = 'd8a5ed18-11aa-4032-badf-913cb6e658d1'
    const record = new ExecutionRecord(runId, identity, facts, Date.now, redact)
    const of = new TaskEvents('move')
    for (const event of events) for (const one of of.of(event)) record.on(one)
    await writeLedger(database, record.drain(), (_row, error) => {
      throw error
    })
    const { rows } = await sql<
      Record<string, unknown>
    >`SELECT replica_lag, hll_value FROM process_logs`.execute(database.kysely)
    return rows.map((row) => Object.values(row).map((value) => (value === null ? null : Number(value))))
  }
  const file: RowsEvent = {
    type: 'file-started',
    file: 'a.csv',
    size: 1,
    ids: 1,
    isResumed: false,
    batches: 2,
  }
  const batch = (lag: number, hll: number): RowsEvent => ({
    ...{ type: 'batch-done', file: 'a.csv', batch: 1, status: 'COMPLETED', milliseconds: 1, conflicts: [] },
    ...{ counts: COUNTS as never, lag, hll },
  })

  it('has the lag and the history list that were seen last', async () => {
    expect(await logged(file, batch(1, 10), batch(3, 250))).toEqual([[3, 250]])
  })
  it('has them while it is held back', async () => {
    const held: RowsEvent = {
      type: 'held-back',
      reason: 'replica_lag 90s',
      cause: 'replica_lag',
      lag: 90,
      hll: 7,
    }
    expect(await logged(file, held)).toEqual([[90, 7]])
  })
  it('has a lag of 0 as 0, and what is not known as NULL', async () => {
    expect(await logged(file, batch(0, -1))).toEqual([[0, null]])
  })
  it('has NULL where nobody looked', async () => {
    expect(await logged(file)).toEqual([[null, null]])
  })
})
