import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { timeText } from '../../../src/sql/timestamps.ts'
import { taskDays, taskStats } from '../../../src/tracking/client/task-stats.ts'
import { eachExecution, listExecutions } from '../../../src/tracking/client/tracked-queries.ts'
import { writeLedger } from '../../../src/tracking/ledger/ledger-database.ts'
import { migrateLedger } from '../../../src/tracking/ledger/migrate-ledger.ts'
import type { Row } from '../../../src/tracking/ledger/row.ts'
import type { LedgerDatabase } from '../../../src/tracking/ledger/schema-types.ts'
import { engines, freshPlace, type Place } from '../ledger/engines.ts'

const NOW = Date.parse('2026-11-28T12:00:00Z')
const idOf = (number: number): string => `d0000000-0000-4000-8000-${String(number).padStart(12, '0')}`
const WORDS = ['FINISHED', 'FINISHED', 'FINISHED', 'FAILED', 'CANCELLED'] as const

/** Five of a moment, a second apart; every fifth failed and every fifth was cancelled; those that FINISHED took 1 s, 2 s ... */
const execution = (number: number): Row => {
  const start = NOW - 1_000_000 + Math.floor(number / 5) * 1000
  const end = timeText(start + (number + 1) * 1000)
  const cells = {
    ...{ run_id: idOf(number), task_name: number % 2 ? 'odd' : 'even', hostname: 'h', process_id: number },
    ...{ execution_start: timeText(start), execution_end: end, last_update: end },
    ...{ execution_status: WORDS[number % 5] ?? '', revision: 1 },
  }
  return { table: 'executions', transient: false, cells }
}

const SECONDS = (mean: number, min: number, max: number) => ({
  ...{ meanSeconds: expect.closeTo(mean) as number, minSeconds: min, maxSeconds: max },
})

describe.each(await engines())('executions on %s that are read in parts', (dialect) => {
  let place: Place
  let database: LedgerDatabase
  const write = (rows: readonly Row[]): Promise<unknown> =>
    writeLedger(database, rows, (_row, error) => {
      throw error
    })
  beforeEach(async () => {
    place = await freshPlace(dialect)
    database = await place.open()
    await migrateLedger(database, { now: () => NOW, by: 'test' })
    await write(Array.from({ length: 53 }, (_, i) => execution(i)))
  })
  afterEach(async () => {
    await database.close()
    await place.drop()
  })

  it.each([1, 7, 53, 1000])('by %i are all there, each once and in order', async (atOnce) => {
    const found: number[] = []
    for await (const { pid } of eachExecution(database, { limit: Infinity, now: NOW }, atOnce))
      found.push(pid)
    const whole = await listExecutions(database, { limit: 1000, now: NOW })
    expect(found).toEqual(whole.map(({ pid }) => pid))
    expect([...found].sort((a, b) => a - b)).toEqual(Array.from({ length: 53 }, (_, i) => i))
  })
  it('are all there, each once, while others begin and end', async () => {
    const found: number[] = []
    let next = 53
    for await (const { pid } of eachExecution(database, { limit: Infinity, now: NOW }, 7)) {
      found.push(pid)
      if (found.length % 5 === 0) await write([execution(next++)])
    }
    expect(found.filter((pid) => pid < 53).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 53 }, (_, i) => i),
    )
    expect(new Set(found).size).toBe(found.length)
  })
  it('end at the limit', async () => {
    const found: number[] = []
    for await (const { pid } of eachExecution(database, { limit: 10, now: NOW }, 4)) found.push(pid)
    expect(found).toHaveLength(10)
  })
  it('are counted the same however large the parts are', async () => {
    const stats = await taskStats(database, {})
    expect(stats).toEqual([
      expect.objectContaining({ task: 'even', executions: 27, finished: 17, failed: 5, cancelled: 5 }),
      expect.objectContaining({ task: 'odd', executions: 26, finished: 16, failed: 5, cancelled: 5 }),
    ])
    expect(stats[0]).toMatchObject({ running: 0, successRate: 63, medianSeconds: 27, p95Seconds: 53 })
    for (const atOnce of [1, 7]) expect(await taskStats(database, {}, atOnce)).toEqual(stats)
    expect(await taskStats(database, { task: 'odd', since: NOW - 995_000 }, 3)).toMatchObject([
      { task: 'odd', executions: 14 },
    ])
  })
  it('are counted by day and task, the newest day first, as the query of seed 004 does', async () => {
    const cells = (number: number, start: string, end: string | null) => ({
      ...execution(number).cells,
      ...{ task_name: 'even', execution_start: `${start}.000`, execution_end: end && `${end}.000` },
    })
    const row = (given: Row['cells']): Row => ({ table: 'executions', transient: false, cells: given })
    await write([
      row(cells(60, '2026-11-27 23:59:00', '2026-11-28 00:01:00')),
      row(cells(61, '2026-11-28 12:00:00', null)),
    ])
    const days = await taskDays(database, {})
    expect(days).toEqual([
      { ...{ task: 'even', day: '2026-11-28', executions: 27, failed: 5 }, ...SECONDS(27, 1, 53) },
      { ...{ task: 'even', day: '2026-11-27', executions: 1, failed: 0 }, ...SECONDS(120, 120, 120) },
      { ...{ task: 'odd', day: '2026-11-28', executions: 26, failed: 5 }, ...SECONDS(27, 2, 52) },
    ])
    for (const atOnce of [1, 7]) expect(await taskDays(database, {}, atOnce)).toEqual(days)
    expect(await taskDays(database, { task: 'odd' })).toEqual(days.slice(2))
  })
  it('is one, by its run id', async () => {
    expect(await listExecutions(database, { runId: idOf(3), limit: 1, now: NOW })).toMatchObject([{ pid: 3 }])
  })
})
