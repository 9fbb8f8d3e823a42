import { jsonObject } from '../../common/json-object.ts'
import { timeMs, timeText } from '../../sql/timestamps.ts'
import { tables } from '../ledger/ledger-tables.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'
import { writeRows } from '../ledger/upsert.ts'

/** What a person did on the page, as `events` keeps it. */
export interface ActionEvent {
  readonly at: number
  /** retry, cancel, scrub or silence. */
  readonly action: string
  readonly command: string
  /** `token`: whoever held it. */
  readonly who: string
  /** The address that asked. */
  readonly from: string
}

const KIND = 'page.'

/**
 * Notes an action before it is done. `runId` is the execution that it is done to, or one of the server's own. Its number lies below every
 * number that an execution gives its own events.
 */
export const noteAction = async (
  database: LedgerDatabase,
  runId: string,
  { at, action, ...detail }: ActionEvent,
): Promise<void> => {
  const cells = {
    ...{ run_id: runId, seq: -1 - at, at: timeText(at) },
    ...{ kind: `${KIND}${action}`, detail: JSON.stringify(detail) },
  }
  const row = { table: 'events' as const, cells, transient: false }
  await writeRows(database.kysely, [row], database.dialect, database.schema)
}

/** The newest actions. */
export const listActions = async (database: LedgerDatabase, limit: number): Promise<ActionEvent[]> => {
  const rows = await tables(database)
    .selectFrom('events')
    .select(['at', 'kind', 'detail'])
    .where('kind', 'like', `${KIND}%`)
    .orderBy('at', 'desc')
    .limit(limit)
    .execute()
  return rows.map(({ at, kind, detail }) => ({
    at: timeMs(at),
    action: kind.slice(KIND.length),
    ...detailOf(detail),
  }))
}

const detailOf = (json: string | null): Pick<ActionEvent, 'command' | 'who' | 'from'> => {
  const value = jsonObject(json)
  const text = (name: string): string => (typeof value[name] === 'string' ? value[name] : '')
  return { command: text('command'), who: text('who'), from: text('from') }
}
