import { counted } from '../common/counted.ts'
import { statesOf, type State } from '../tracking/ledger/status-words.ts'
import { loadConfig } from '../config/load-config.ts'
import { ArchiverError } from '../errors.ts'
import { now } from '../platform/host.ts'
import type { LedgerDatabase } from '../tracking/ledger/schema-types.ts'
import { type Command, type Context, untilStopped } from '../app/context.ts'
import { withLedger } from '../app/with-ledger.ts'
import { daysTable, executionText, executionsTable } from './history-text.ts'

export interface HistoryOptions {
  readonly config: string
  readonly json?: boolean
  readonly since?: string
  readonly status?: string
  readonly limit?: string
}

const DAY = 86_400_000

/** `history`: the last executions, the newest first. Those found dead meanwhile are judged and shown as what they are. */
export const history = untilStopped<HistoryOptions>(async (options, context) => {
  const filter = {
    since: options.since === undefined ? undefined : momentOf(options.since, now()),
    states: options.status === undefined ? undefined : statesFor(options.status),
    limit: options.limit === undefined ? 20 : limitOf(options.limit),
  }
  return withHistory(options.config, context, async (database) => {
    const { pastExecutions } = await import('../tracking/ledger/history-queries.ts')
    const executions = await pastExecutions(database, filter)
    context.out(options.json ? json({ executions }) : executionsTable(executions, now()))
    return 0
  })
})

/** `history show ID`: one execution by its number or UUID. Answers 1 when there is none. */
export const historyShow = untilStopped<HistoryOptions & { readonly id: string }>((options, context) =>
  withHistory(options.config, context, async (database) => {
    const { pastExecution } = await import('../tracking/ledger/history-queries.ts')
    const execution = await pastExecution(database, options.id)
    if (!execution)
      throw new ArchiverError('NOT_FOUND', `the ledger has no execution "${options.id}"`, {
        hint: 'run-archiver history lists their numbers',
      })
    context.out(options.json ? json(execution) : executionText(execution, now()))
    return 0
  }),
)

/**
 * `history stats`: each day's executions, kills, reboots, unseen ends, runs and rate. Days are those of UTC, as the ledger keeps them for all
 * machines, and as the page shows them; a date is one of these.
 */
export const historyStats = untilStopped<HistoryOptions>((options, context) => {
  const since = momentOf(options.since ?? '7d', now(), 'Z')
  return withHistory(options.config, context, async (database) => {
    const { pastDays } = await import('../tracking/ledger/day-queries.ts')
    const days = await pastDays(database, since)
    context.out(options.json ? json({ days }) : daysTable(days))
    return 0
  })
})

/** `history prune`: removes what is older than `ledger.keep_days`. A pass does so too, a little at a time. */
export const historyPrune: Command<HistoryOptions> = (options, context) =>
  withHistory(options.config, context, async (database, keepDays) => {
    const { prune } = await import('../tracking/ledger/prune.ts')
    const removed = await prune(database, { keepDays, now: now(), limit: Infinity })
    const rule = keepDays === 0 ? 'ledger.keep_days is 0: everything is kept' : `older than ${keepDays} days`
    context.out(options.json ? json({ removed }) : `${counted(removed, 'execution')} removed (${rule})\n`)
    return 0
  })

const withHistory = async (
  configFile: string,
  context: Context,
  read: (database: LedgerDatabase, keepDays: number) => Promise<number>,
): Promise<number> => {
  const config = await loadConfig(configFile, context.env, ['app', 'ledger'])
  return withLedger(config, context, (database) => read(database, config.ledger.keepDays))
}

const statesFor = (words: string): State[] =>
  words.split(',').flatMap((word) => {
    const states = statesOf(word.trim())
    if (!states)
      throw new ArchiverError('USAGE', `--status: "${word}" is not a status`, {
        hint: 'RUNNING, COMPLETED, PARTIAL, FAILED, KILLED, TERMINATED or SYSTEM_REBOOT',
      })
    return [...states]
  })

const limitOf = (text: string): number => {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new ArchiverError('USAGE', `--limit: "${text}" is not a number from 1 to 999999`)
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: DAY, w: 7 * DAY }

/** `24h`, `7d`, `2026-11-21`, `2026-11-21T08:00`: a date is in local time, as people mean it; in UTC with `zone` `Z`. */
const momentOf = (text: string, from: number, zone: '' | 'Z' = ''): number => {
  const [, count, unit = ''] = /^(\d{1,5})([mhdw])$/.exec(text) ?? []
  if (count !== undefined) return from - Number(count) * (UNITS[unit] ?? DAY)
  const date = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00${zone}` : text
  const moment = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(date) ? Date.parse(date) : NaN
  if (!Number.isNaN(moment)) return moment
  throw new ArchiverError('USAGE', `--since: "${text}" is not a time`, {
    hint: 'such as 90m, 24h, 7d or 2026-11-21',
  })
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
