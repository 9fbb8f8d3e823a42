import type { LedgerDatabase } from '../ledger/schema-types.ts'
import { tables } from '../ledger/daily-stats.ts'
import { taskLines, taskNames } from './task-reads.ts'

type TaskLine = Awaited<ReturnType<typeof taskLines>>[number]

/** Milliseconds after which every task is read again: what other programs wrote to rows that had ended is seen then. */
const ALL_AGAIN = 60_000

/**
 * The tasks with their newest executions, kept between looks: a look reads only the tasks that have a new execution since the last one, or
 * had one that was running.
 */
export class TaskCache {
  readonly #lines = new Map<string, TaskLine>()
  #last = 0
  #allAt = -Infinity

  async lines(database: LedgerDatabase, now: number): Promise<readonly TaskLine[]> {
    const everything = now - this.#allAt >= ALL_AGAIN || now < this.#allAt
    const names = everything ? await taskNames(database) : await this.#changed(database)
    const newest = await tables(database)
      .selectFrom('executions')
      .select(({ fn }) => fn.max('execution_id').as('last'))
      .executeTakeFirst()
    if (everything) {
      this.#lines.clear()
      this.#allAt = now
    }
    for (const line of await taskLines(database, [...names], now)) this.#lines.set(line.task, line)
    this.#last = Math.max(this.#last, newest?.last ?? 0)
    return [...this.#lines.values()].sort((a, b) => (a.task < b.task ? -1 : 1))
  }

  async #changed(database: LedgerDatabase): Promise<Set<string>> {
    const rows = await tables(database)
      .selectFrom('executions')
      .select('task_name')
      .distinct()
      .where('execution_id', '>', this.#last)
      .execute()
    const open = [...this.#lines.values()].filter(({ newest }) =>
      newest.some(({ endedAt }) => endedAt === undefined),
    )
    return new Set([...rows.map(({ task_name }) => task_name), ...open.map(({ task }) => task)])
  }
}
