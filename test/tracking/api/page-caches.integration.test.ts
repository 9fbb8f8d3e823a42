import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { timeText } from '../../../src/sql/timestamps.ts'
import { FailureCache } from '../../../src/tracking/api/failure-cache.ts'
import { TaskCache } from '../../../src/tracking/api/task-cache.ts'
import { failedAttempts, taskLines, taskNames } from '../../../src/tracking/api/task-reads.ts'
import { tables } from '../../../src/tracking/ledger/ledger-tables.ts'
import { migrateLedger } from '../../../src/tracking/ledger/migrate-ledger.ts'
import type { LedgerDatabase } from '../../../src/tracking/ledger/schema-types.ts'
import { engines, freshPlace, type Place } from '../ledger/engines.ts'

const NOW = Date.UTC(2026, 10, 28, 12)
const SECOND = 1000
const DAY = 86_400_000

/** What the page keeps between two looks must never differ from what the ledger says. */
describe.each(await engines())('what is kept between looks on %s', (dialect) => {
  let place: Place
  let database: LedgerDatabase
  let now = NOW
  beforeEach(async () => {
    place = await freshPlace(dialect)
    database = await place.open()
    await migrateLedger(database, { now: () => NOW, by: 'test' })
    now = NOW
  })
  afterEach(async () => {
    await database.close()
    await place.drop()
  })

  const begin = async (task: string, ago: number): Promise<string> => {
    const runId = randomUUID()
    const start = timeText(now - ago)
    await tables(database)
      .insertInto('executions')
      .values({
        ...{ run_id: runId, task_name: task, hostname: 'h', process_id: 1, revision: 1 },
        ...{ execution_start: start, last_update: start, execution_status: 'RUNNING' },
      })
      .execute()
    return runId
  }
  const end = (runId: string, status: string, reason: string) =>
    tables(database)
      .updateTable('executions')
      .set({ execution_status: status, end_reason: reason, execution_end: timeText(now) })
      .where('run_id', '=', runId)
      .execute()
  const fail = (runId: string, run: number, ago: number) =>
    tables(database)
      .insertInto('files')
      .values({
        ...{ run_id: runId, stage: 'import', run, file_name: `run ${run}`, state: 'failed', revision: 1 },
        ...{ started_at: timeText(now - ago), error_code: 'RECORD_INVALID', error_message: `of ${run}` },
      })
      .execute()

  it('tasks: as a fresh look has them, after each change', async () => {
    const cache = new TaskCache()
    const same = async (): Promise<void> => {
      now += SECOND
      const fresh = await taskLines(database, await taskNames(database), now)
      expect(await cache.lines(database, now)).toEqual(fresh)
    }
    await same()
    const first = await begin('A', 5000)
    await same()
    for (let i = 0; i < 40; i++)
      await end(await begin(i % 3 ? 'A' : 'B', 100_000 - i * SECOND), 'FINISHED', 'ok')
    await same()
    const second = await begin('C', 0)
    await end(first, 'FAILED', 'error')
    await same()
    await end(second, 'CANCELLED', 'user')
    await same()
    // Older than what is kept of its task.
    await end(await begin('A', 40 * DAY), 'FINISHED', 'ok')
    await same()
    now += 61 * SECOND
    await same()
  })

  it('failed attempts: as a fresh look has them, after each change', async () => {
    const cache = new FailureCache()
    const same = async (limit: number, days = 400): Promise<void> => {
      now += SECOND
      const question = { since: now - days * DAY, limit, now }
      expect(await cache.attempts(database, question)).toEqual(
        await failedAttempts(database, question.since, limit),
      )
    }
    const past = await begin('import', 3 * DAY)
    for (let run = 1; run <= 20; run++) await fail(past, run, 3 * DAY - run * SECOND)
    await end(past, 'FINISHED', 'partial')
    await same(2000)
    await same(7)
    const running = await begin('import', 60 * SECOND)
    await fail(running, 21, 50 * SECOND)
    now += 60 * SECOND
    await same(2000)
    await fail(running, 22, 100 * SECOND)
    await same(2000)
    await same(7)
    // A run that failed and then did not: the attempt is the same row.
    await tables(database).updateTable('files').set({ state: 'done' }).where('run', '=', 22).execute()
    await end(running, 'FINISHED', 'ok')
    await same(2000)
    await same(2000, 2)
    await same(2000, 500)
    await end(await begin('import', 0), 'FINISHED', 'ok')
    await same(7)
  })
})
