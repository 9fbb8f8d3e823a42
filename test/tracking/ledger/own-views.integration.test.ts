import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { timeText } from '../../../src/sql/timestamps.ts'
import { writeLedger } from '../../../src/tracking/ledger/ledger-database.ts'
import { migrateLedger } from '../../../src/tracking/ledger/migrate-ledger.ts'
import { registerTask } from '../../../src/tracking/ledger/registered-tasks.ts'
import type { Row } from '../../../src/tracking/ledger/row.ts'
import type { LedgerDatabase } from '../../../src/tracking/ledger/schema-types.ts'
import { qualified } from '../../../src/tracking/ledger/tables.ts'
import { engines, freshPlace, type Place } from './engines.ts'

const idOf = (number: number): string => `d0000000-0000-4000-8000-${String(number).padStart(12, '0')}`
const HOUR = 3_600_000

/** How a question read the whole table of executions, and not a few rows of an index, before. */
const WINDOW = `SELECT * FROM (SELECT e.*, ROW_NUMBER() OVER (PARTITION BY e.task_name ORDER BY e.execution_start DESC, e.execution_id DESC) AS place
  FROM executions e) n WHERE n.place = 1`

describe.each(await engines())('the newest execution of each task on %s', (dialect) => {
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
  const execution = (number: number, task: string, at: number): Row => ({
    table: 'executions',
    transient: false,
    cells: {
      ...{ run_id: idOf(number), task_name: task, hostname: 'h', process_id: 1, revision: 1 },
      ...{ execution_start: timeText(at), last_update: timeText(at), execution_status: 'FINISHED' },
    },
  })
  const shown = async (view: string): Promise<unknown[]> => {
    const { rows } = await sql<{ task_name: string; run_id: string | null }>`
      SELECT task_name, run_id FROM ${sql.raw(qualified(database.schema, view))}`.execute(database.kysely)
    return rows.map(({ task_name: task, run_id: id }) => [task, id]).sort()
  }

  it('is the last to start, and of two that started together the later one', async () => {
    const at = Date.now() - HOUR
    await registerTask(database, 'never', {})
    await registerTask(database, 'often', {})
    const starts = [execution(1, 'often', at), execution(2, 'often', at + 1000), execution(3, 'often', at)]
    const ties = [execution(4, 'twice', at), execution(5, 'twice', at), execution(6, 'Zoë', at)]
    await writeLedger(database, [...starts, ...ties], (_row, error) => {
      throw error
    })
    const newest = [
      ['Zoë', idOf(6)],
      ['often', idOf(2)],
      ['twice', idOf(5)],
    ]
    expect(await shown('current_status')).toEqual(newest)
    expect(await shown('monitoring_view')).toEqual([['Zoë', idOf(6)], ['never', null], ...newest.slice(1)])
  })

  it('is nothing where nothing ran', async () => {
    expect(await shown('current_status')).toEqual([])
    expect(await shown('monitoring_view')).toEqual([])
  })

  if (dialect === 'sqlite')
    it('is found in an index, however many executions there are', async () => {
      const plan = async (query: string): Promise<string[]> => {
        const { rows } = await sql<{ detail: string }>`EXPLAIN QUERY PLAN ${sql.raw(query)}`.execute(
          database.kysely,
        )
        return rows
          .map(({ detail }) => detail)
          .filter((step) => /^SCAN (e|f|good|earlier|executions)\b/.test(step))
      }
      expect(await plan(WINDOW)).not.toEqual([])
      for (const view of ['current_status', 'monitoring_view'])
        expect(await plan(`SELECT * FROM ${view}`), view).toEqual([])
    })
})
