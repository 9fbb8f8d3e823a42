import { sql, type Expression, type ExpressionBuilder, type Selectable, type SqlBool } from 'kysely'
import { microsOf, timeMs, timeText } from '../../sql/timestamps.ts'
import { tables } from '../ledger/ledger-tables.ts'
import { isOpen } from '../ledger/open-executions.ts'
import type { LedgerDatabase, LedgerSchema } from '../ledger/schema-types.ts'
import { stateOf, wordsOf } from '../ledger/status-words.ts'
import { executionLine, statesBehind } from './execution-lines.ts'
import { outlooks } from './outlooks.ts'

export interface ExecutionWish {
  readonly task?: string | undefined
  readonly stage?: string | undefined
  readonly standing?: string | undefined
  readonly host?: string | undefined
  readonly text?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly limit: number
  readonly cursor?: string | undefined
  /** Executions that one part of a search for a text looks at; left out: 20,000. */
  readonly searched?: number
}

type Builder = ExpressionBuilder<LedgerSchema, 'executions'>
type ExecutionRow = Selectable<LedgerSchema['executions']>
/** One place in the order of the list. */
interface Place {
  readonly start: number
  /** Microseconds beyond it, as digits: PostgreSQL keeps and orders by them. */
  readonly micros: string
  readonly id: number
}

const placeOf = ({
  execution_start,
  execution_id,
}: Pick<ExecutionRow, 'execution_start' | 'execution_id'>): Place => ({
  start: timeMs(execution_start),
  micros: microsOf(execution_start),
  id: execution_id,
})

const startText = ({ start, micros }: Place): string => timeText(start) + micros

/** No index knows the middle of a text, so a search reads what it looks at. */
const SEARCHED = 20_000

/**
 * The newest first. `cursor` is the `next` of the part before; a part is found by its key, never by counting rows. A search for a text looks at the
 * newest 20,000 executions and then has a `next`, even where it found nothing.
 */
export const listExecutions = async (database: LedgerDatabase, wish: ExecutionWish, now: number) => {
  const { limit, cursor, text } = wish
  const after = cursor === undefined ? undefined : readCursor(cursor)
  const end = text ? await endOfSearch(database, wish, after) : undefined
  const rows = await Promise.all(
    endsOf(wish.standing).map((stands) => part(database, wish, { stands, after, end })),
  ).then((parts) => newest(parts.flat(), limit + 1))
  const seen = await outlooks(database, rows, now)
  const items = rows.slice(0, limit).map((row) => executionLine(row, seen.get(row.run_id)))
  const last = rows[limit - 1]
  const next = rows.length > limit && last ? placeOf(last) : end
  return { items, next: next && cursorOf(next) }
}

interface Part {
  readonly stands: ((eb: Builder) => Expression<SqlBool>) | undefined
  readonly after: Place | undefined
  readonly end: Place | undefined
}

const part = (
  database: LedgerDatabase,
  { task, stage, host, text, from, to, limit }: ExecutionWish,
  { stands, after, end }: Part,
): Promise<ExecutionRow[]> => {
  let query = tables(database)
    .selectFrom('executions')
    .selectAll()
    .orderBy('execution_start', 'desc')
    .orderBy('execution_id', 'desc')
    .limit(limit + 1)
  if (task) query = query.where('task_name', '=', task)
  if (stage) query = query.where('task_stage', '=', stage)
  if (host) query = query.where('hostname', '=', host)
  if (from !== undefined) query = query.where('execution_start', '>=', timeText(from))
  if (to !== undefined) query = query.where('execution_start', '<', timeText(to))
  if (stands) query = query.where(stands)
  if (text) query = query.where((eb) => mentions(eb, text))
  if (after) query = query.where((eb) => isBehind(eb, after))
  if (end)
    query = query.where('execution_start', '>=', startText(end)).where((eb) => eb.not(isBehind(eb, end)))
  return query.execute()
}

/** Behind a place in the list: older, or of the same moment with a lower number. */
const isBehind = (eb: Builder, place: Place): Expression<SqlBool> =>
  eb.and([
    // Said first and alone, so that an index begins there.
    eb('execution_start', '<=', startText(place)),
    eb.or([eb('execution_start', '<', startText(place)), eb('execution_id', '<', place.id)]),
  ])

/** The last execution that a part of a search looks at; undefined where it reaches the end of the list. */
const endOfSearch = async (
  database: LedgerDatabase,
  { task, from, to, searched = SEARCHED }: ExecutionWish,
  after: Place | undefined,
): Promise<Place | undefined> => {
  let query = tables(database)
    .selectFrom('executions')
    .select(['execution_start', 'execution_id'])
    .orderBy('execution_start', 'desc')
    .orderBy('execution_id', 'desc')
    .offset(searched - 1)
    .limit(1)
  if (task) query = query.where('task_name', '=', task)
  if (from !== undefined) query = query.where('execution_start', '>=', timeText(from))
  if (to !== undefined) query = query.where('execution_start', '<', timeText(to))
  if (after) query = query.where((eb) => isBehind(eb, after))
  const row = await query.executeTakeFirst()
  return row && placeOf(row)
}

const newest = (rows: ExecutionRow[], count: number): ExecutionRow[] =>
  rows
    .map((row) => ({ row, place: placeOf(row) }))
    .sort(
      ({ place: a }, { place: b }) => b.start - a.start || Number(b.micros) - Number(a.micros) || b.id - a.id,
    )
    .slice(0, count)
    .map(({ row }) => row)

const cursorOf = ({ start, micros, id }: Place): string => `${start}${micros && `.${micros}`}-${id}`

/** The place behind a cursor; undefined where it is not one. */
const readCursor = (cursor: string): Place | undefined => {
  const [, start, micros = '', id] = /^(\d{1,15})(?:\.(\d{3}))?-(\d{1,15})$/.exec(cursor) ?? []
  return start === undefined ? undefined : { start: Number(start), micros, id: Number(id) }
}

/**
 * The conditions of a standing, each of which is a range of an index in the order of the list: a rare one is found without reading the others.
 * Rows of other programs have no reason, and count as the plainest state.
 */
const endsOf = (standing: string | undefined): Part['stands'][] => {
  if (!standing) return [undefined]
  if (['running', 'hung', 'throttled'].includes(standing)) return [() => isOpen]
  return statesBehind(standing).flatMap((state) => {
    const { execution, reason } = wordsOf(state)
    const both = (ends: (eb: Builder) => Expression<SqlBool>) => (eb: Builder) =>
      eb.and([eb('execution_status', '=', execution), ends(eb)])
    const same = both((eb) =>
      eb.and([eb('end_reason', '=', reason ?? ''), ...(reason === 'ok' ? [] : [isNotOk])]),
    )
    return stateOf(execution, null) === state ? [both(() => hasNoReason), same] : [same]
  })
}

/** Written out, because SQLite uses its indexes of these only where no value is bound. */
const isNotOk = sql<SqlBool>`end_reason <> 'ok'`
const hasNoReason = sql<SqlBool>`end_reason IS NULL`

/** The first and the last run id that begin so. */
const LOWEST = '00000000-0000-0000-0000-000000000000'
const HIGHEST = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

const mentions = (eb: Builder, text: string): Expression<SqlBool> => {
  const like = `%${text.replace(/[%_\\]/g, '')}%`
  const head = text.toLowerCase()
  const [low, high] = [LOWEST, HIGHEST].map((all) => head + all.slice(head.length)) as [string, string]
  return eb.or([
    eb('task_name', 'like', like),
    eb('error_message', 'like', like),
    eb('overall_progress_message', 'like', like),
    ...(isBeginOfRunId(head) ? [eb.between('run_id', low, high)] : []),
  ])
}

const isBeginOfRunId = (text: string): boolean =>
  text.length >= 8 &&
  /^[0-9a-f]{8}(?:-[0-9a-f]{0,4}){0,3}(?:-[0-9a-f]{0,12})?$/.test(text) &&
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text + LOWEST.slice(text.length))
