import { timeMs } from '../../sql/timestamps.ts'
import { tables } from '../ledger/ledger-tables.ts'
import { isOpen } from '../ledger/open-executions.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'
import { failedAttempts } from './task-reads.ts'

type Attempt = Awaited<ReturnType<typeof failedAttempts>>[number]

interface Question {
  readonly since: number
  /** Each number of attempts that is asked for has answers of its own. */
  readonly limit: number
  readonly now: number
}

interface Kept {
  readonly attempts: readonly Attempt[]
  readonly since: number
  /** When every attempt was read, and when the newest were. */
  readonly allAt: number
  readonly at: number
  /** When the oldest execution began that had no end then. */
  readonly openFrom: number
}

/** Milliseconds after which every attempt is read again: what reached the ledger late is seen then. */
const ALL_AGAIN = 60_000
/** Milliseconds that a writer holds a row back at most while the ledger is there. */
const LATE = 10_000
const KEPT = 8

/**
 * The newest failed attempts, kept between looks: attempts change only while their execution runs, so a look reads those that began since the
 * oldest execution that ran at the last one.
 */
export class FailureCache {
  readonly #kept = new Map<number, Kept>()

  async attempts(database: LedgerDatabase, { since, limit, now }: Question): Promise<readonly Attempt[]> {
    const kept = this.#kept.get(limit)
    const openFrom = await oldestOpen(database)
    const isUsable = kept && kept.since <= since && now >= kept.at && now - kept.allAt < ALL_AGAIN
    const added = isUsable ? await withNewest(database, kept, limit) : undefined
    const attempts = added ?? (await failedAttempts(database, since, limit))
    const whole = added && kept ? kept : { allAt: now, since }
    this.#kept.delete(limit)
    this.#kept.set(limit, { attempts, since: whole.since, allAt: whole.allAt, at: now, openFrom })
    const oldest = this.#kept.keys().next().value
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest)
    return attempts.filter(({ startedAt }) => startedAt >= since)
  }
}

/** What is kept, with what has changed since; undefined where that is not enough of them any more. */
const withNewest = async (
  database: LedgerDatabase,
  { attempts, openFrom, at, since }: Kept,
  limit: number,
): Promise<readonly Attempt[] | undefined> => {
  const from = Math.max(since, Math.min(openFrom, at - LATE))
  const fresh = await failedAttempts(database, from, limit)
  const all = [...fresh, ...attempts.filter(({ startedAt }) => startedAt < from)].slice(0, limit)
  return all.length < limit && attempts.length >= limit ? undefined : all
}

const oldestOpen = async (database: LedgerDatabase): Promise<number> => {
  const row = await tables(database)
    .selectFrom('executions')
    .select('execution_start')
    .where(isOpen)
    .orderBy('execution_start')
    .limit(1)
    .executeTakeFirst()
  return row ? timeMs(row.execution_start) : Infinity
}
