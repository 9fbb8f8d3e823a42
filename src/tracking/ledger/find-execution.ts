import { tables } from './ledger-tables.ts'
import type { LedgerDatabase } from './schema-types.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The row of an execution, by its number or its UUID (`run_id`); undefined when there is none, or `id` is neither. */
export const findExecution = async (database: LedgerDatabase, id: string) => {
  const byNumber = /^\d{1,15}$/.test(id)
  if (!byNumber && !UUID.test(id)) return undefined
  return tables(database)
    .selectFrom('executions')
    .selectAll()
    .where((eb) => (byNumber ? eb('execution_id', '=', Number(id)) : eb('run_id', '=', id.toLowerCase())))
    .executeTakeFirst()
}
