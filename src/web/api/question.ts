import { ASKED_STANDINGS, ASKED_STATUSES } from './asked-words.ts'
import type { Slice, Standing } from '../model.ts'
import type { PageSources } from '../sources.ts'

/** What a read of the API is asked with. */
export interface Query {
  readonly sources: PageSources
  readonly now: number
  readonly path: Readonly<Record<string, string>>
  readonly query: URLSearchParams
}

/** What is wrong with a question, as application/problem+json says it. */
export class Problem extends Error {
  readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 415 | 429 | 503
  readonly code: string
  constructor(status: Problem['status'], code: string, message: string) {
    super(message)
    this.name = 'Problem'
    this.status = status
    this.code = code
  }
}

export interface Parameter {
  readonly name: string
  readonly doc: string
  readonly integer?: boolean
}

/** One read of the API: served, described in the OpenAPI document and tested from this table. */
export interface Read {
  readonly path: string
  readonly doc: string
  readonly query: readonly Parameter[]
  /** `list`: `{items, next}`, also as CSV. `text`: pieces of plain text, one after the other. */
  readonly kind: 'object' | 'list' | 'text'
  read(query: Query): Promise<unknown>
}

export const DAY = 86_400_000
export const LIMIT: Parameter = { name: 'limit', doc: 'rows at most, 1 to 1000 (100)', integer: true }
export const CURSOR: Parameter = { name: 'cursor', doc: '`next` of the part before' }
export const DAYS: Parameter = { name: 'days', doc: 'days back, 1 to 400 (30)', integer: true }

/** A whole number in a range, or the default. Throws Problem 400 for anything else. */
export const numberIn = (
  query: URLSearchParams,
  name: string,
  min: number,
  max: number,
  fallback: number,
): number => {
  const text = query.get(name)
  if (text === null || text === '') return fallback
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN
  if (value >= min && value <= max) return value
  throw new Problem(400, 'USAGE', `${name} must be a whole number from ${min} to ${max}`)
}

const FIRST_MOMENT = Date.parse('0001-01-01T00:00:00Z')
/** A day before the last one that has a four-digit year, so that the end of the day of a moment has one, too. */
const LAST_MOMENT = Date.parse('9999-12-30T00:00:00Z')

/** Whether there is such a day: 30 February would be read as 2 March. */
const isDay = (text: string): boolean => {
  const at = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}

/** A UTC day or moment. Throws Problem 400. */
const momentIn = (query: URLSearchParams, name: string): number | undefined => {
  const text = query.get(name)
  if (!text) return undefined
  // A moment without its zone would be one of this server's.
  const isMoment = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+ -]\d\d:?\d\d))?$/i.test(
    text,
  )
  const moment = text.replace(/ (?=\d\d:?\d\d$)/, '+') // an address has a blank for a plus that is not escaped
  const value =
    isMoment && isDay(text.slice(0, 10)) ? Date.parse(text.length === 10 ? `${text}T00:00:00Z` : moment) : NaN
  // The ledger holds times as texts of four-digit years: others compare wrongly.
  if (value >= FIRST_MOMENT && value < LAST_MOMENT) return value
  throw new Problem(400, 'USAGE', `${name} must be a day such as 2026-11-27, or a moment with its zone`)
}

export const ledgerOf = ({ sources }: Query) => {
  if (sources.ledger) return sources.ledger
  throw new Problem(404, 'NOT_FOUND', 'no ledger is configured')
}
export const runsOf = ({ sources }: Query) => {
  if (sources.runs) return sources.runs
  throw new Problem(404, 'NOT_FOUND', 'no archiver is configured: serve was started with a ledger alone')
}

export const all = <T>(items: readonly T[]): Slice<T> => ({ items, next: undefined })

/** The end of a range, before which it lies: a day counts as a whole. Throws Problem 400. */
const endIn = (query: URLSearchParams, name: string): number | undefined => {
  const moment = momentIn(query, name)
  const isWholeDay = /^\d{4}-\d\d-\d\d$/.test(query.get(name) ?? '')
  return moment !== undefined && isWholeDay ? moment + DAY : moment
}

/** One of the words that may be asked for. Another one would find nothing, as if there were nothing. Throws Problem 400. */
const wordIn = (query: URLSearchParams, name: string, words: readonly string[]): string | undefined => {
  const text = query.get(name)
  if (!text) return undefined
  if (words.includes(text)) return text
  throw new Problem(400, 'USAGE', `${name} must be one of ${words.join(', ')}`)
}

/** `standing`, in which a word of `status` may stand too, or `status`. */
const standingIn = (query: URLSearchParams): Standing | 'bad' | undefined => {
  const both = [...ASKED_STANDINGS, ...ASKED_STATUSES]
  return (wordIn(query, 'standing', both) ??
    wordIn(query, 'status', [...ASKED_STATUSES, ...ASKED_STANDINGS])) as Standing | 'bad' | undefined
}

/** The question behind the filters of `/history` and `/api/v1/executions`. */
export const executionQuery = (query: URLSearchParams, limit: number) => {
  const day = momentIn(query, 'day')
  const cursor = query.get('cursor') ?? undefined
  if (cursor !== undefined && cursor !== '' && !/^\d{1,15}(?:\.\d{3})?-\d{1,15}$/.test(cursor))
    throw new Problem(400, 'USAGE', 'cursor must be the `next` of the part before')
  return {
    task: query.get('task') || undefined,
    stage: query.get('stage') || undefined,
    standing: standingIn(query),
    host: query.get('host') || undefined,
    text: query.get('q') || undefined,
    from: day ?? momentIn(query, 'from'),
    to: day === undefined ? endIn(query, 'to') : day + DAY,
    limit: numberIn(query, 'limit', 1, 1000, limit),
    cursor: cursor === '' ? undefined : cursor,
  }
}

export const found = <T>(value: T | undefined, what: string): T => {
  if (value !== undefined) return value
  throw new Problem(404, 'NOT_FOUND', what)
}

export const runNumber = ({ path }: Query): number => {
  const text = path['run'] ?? ''
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new Problem(400, 'USAGE', `"${text.slice(0, 40)}" is not a run number`)
}
