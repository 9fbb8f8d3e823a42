import type { Selectable } from 'kysely'
import type { LedgerDatabase, LedgerSchema } from '../ledger/schema-types.ts'
import { tables } from '../ledger/ledger-tables.ts'
import { executionLine } from './execution-lines.ts'
import { outlooks } from './outlooks.ts'
import { taskLine, taskLines, taskNames } from './task-reads.ts'

type ExecutionRow = Selectable<LedgerSchema['executions']>
type TaskLine = ReturnType<typeof taskLine>

/** Milliseconds after which every task is read again: what other programs wrote to rows that had ended is seen then. */
const ALL_AGAIN = 60_000
/** New executions from which on reading every task again is less work. */
const MANY = 2000
/** Numbers in one question. */
const AT_ONCE = 500

/**
 * The tasks with their newest executions, kept between looks: a look reads only executions that are new since the last one, and those that
 * had no end then.
 */
export class TaskCache {
  readonly #lines = new Map<string, TaskLine>()
  #last = 0
  #allAt = -Infinity

  async lines(database: LedgerDatabase, now: number): Promise<readonly TaskLine[]> {
    const isDue = now - this.#allAt >= ALL_AGAIN || now < this.#allAt
    const changed = isDue ? undefined : await this.#changed(database)
    if (changed === undefined || changed.length > MANY) await this.#readAll(database, now)
    else await this.#take(database, changed, now)
    return [...this.#lines.values()].sort((a, b) => (a.task < b.task ? -1 : 1))
  }

  async #readAll(database: LedgerDatabase, now: number): Promise<void> {
    const newest = await tables(database)
      .selectFrom('executions')
      .select(({ fn }) => fn.max('execution_id').as('last'))
      .executeTakeFirst()
    const lines = await taskLines(database, await taskNames(database), now)
    this.#lines.clear()
    for (const line of lines) this.#lines.set(line.task, line)
    this.#last = newest?.last ?? 0
    this.#allAt = now
  }

  async #take(database: LedgerDatabase, changed: readonly ExecutionRow[], now: number): Promise<void> {
    const seen = await outlooks(database, changed, now)
    const byTask = new Map<string, ReturnType<typeof executionLine>[]>()
    for (const row of changed) {
      const line = executionLine(row, seen.get(row.run_id))
      byTask.set(line.task, [...(byTask.get(line.task) ?? []), line])
      this.#last = Math.max(this.#last, line.id)
    }
    for (const [task, lines] of byTask) {
      const fresh = new Set(lines.map(({ id }) => id))
      const others = this.#lines.get(task)?.newest.filter(({ id }) => !fresh.has(id)) ?? []
      this.#lines.set(task, taskLine(task, [...lines, ...others]))
    }
  }

  /** Executions that are new, and those that had no end at the last look. */
  async #changed(database: LedgerDatabase): Promise<ExecutionRow[]> {
    const from = tables(database)
    const rows = await from
      .selectFrom('executions')
      .selectAll()
      .where('execution_id', '>', this.#last)
      .orderBy('execution_id')
      .limit(MANY + 1)
      .execute()
    const open = [...this.#lines.values()].flatMap(({ newest }) =>
      newest.filter(({ endedAt }) => endedAt === undefined).map(({ id }) => id),
    )
    for (let at = 0; at < open.length; at += AT_ONCE)
      rows.push(
        ...(await from
          .selectFrom('executions')
          .selectAll()
          .where('execution_id', 'in', open.slice(at, at + AT_ONCE))
          .execute()),
      )
    return rows
  }
}
