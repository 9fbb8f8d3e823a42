import { createHash } from 'node:crypto'
import { ArchiverError } from '../errors.ts'
import type { Session } from '../sql/session.ts'
import type { Dialect } from './dialects/dialect.ts'
import { versionOf } from './file-names.ts'
import { IdList, type IdListOptions, type Listed, type Survey } from './id-list.ts'
import type { Covered } from './log/finished-batches.ts'
import { readAhead } from './read-ahead.ts'
import { segmentsOf, type Segment } from './segments.ts'
import { fullNameOf, keyText, type Key, type Pair } from './table.ts'

/** Where ids come from: a file, or the rows of the live table for which a condition holds. */
export interface IdSource {
  /** The ids in their order, many at a time, where they are the same in each run, so that finished batches are known by them. */
  readonly groups: (() => AsyncIterable<readonly Listed[]>) | undefined
  survey(signal: AbortSignal): Promise<Survey>
  /** The ids in batches of `size()`, around those that are done. */
  segments(done: readonly Covered[], size: () => number): AsyncIterable<Segment>
  /** Throws IDS_INVALID where the ids are no longer those of the survey. */
  assertUnchanged(): Promise<void>
  close(): Promise<void>
}

/** A file of ids. Throws IDS_INVALID where it cannot be opened. */
export const fileSource = async (
  path: string,
  list: Omit<IdListOptions, 'key'>,
  { key }: Pair,
): Promise<IdSource> => {
  const ids = await IdList.open(path, { ...list, key })
  return {
    survey: async (signal) => versionOf(await ids.survey(signal), list),
    groups: () => ids.groups(),
    segments: (done, size) => readAhead(segmentsOf(ids.groups(), done, size)),
    assertUnchanged: () => ids.assertUnchanged(),
    close: () => ids.close(),
  }
}

/** Characters of a condition in its name. */
const NAMED = 100

/** What a condition is called in the log: its first words. */
export const whereName = (where: string): string => {
  const line = where.replace(/\s+/g, ' ').trim()
  return `where ${line.length > NAMED ? `${line.slice(0, NAMED - 1)}…` : line}`
}

/** Asks the connection of this moment, again where it breaks. */
export type Ask = <Answer>(question: (session: Session) => Promise<Answer>) => Promise<Answer>

/**
 * Walks the live table along its primary key. A row that is moved is gone, so the next run walks from the beginning; each batch asks for the
 * condition again under locks, so that a row for which it holds no longer stays.
 */
export const whereSource = (dialect: Dialect, pair: Pair, where: string, ask: Ask): IdSource => ({
  groups: undefined,
  survey: async () => ({
    sha256: createHash('sha256').update(`where\0${where}`).digest('hex'),
    ids: await ask((session) => dialect.countLive(session, pair)),
    bad: 0,
    bytes: 0,
    openSince: undefined,
  }),
  segments: async function* (_done, size) {
    let line = 0
    let last: Key | undefined
    for (let number = 1; ; number++) {
      const from = last
      const keys = await ask((session) => dialect.nextKeys(session, pair, from, size()))
      if (keys.length === 0) return
      const end = keys.at(-1)
      if (from && end && keyText(from) === keyText(end)) throw nameless(pair, end)
      yield { type: 'batch', number, firstLine: line + 1, lastLine: line + keys.length, keys }
      line += keys.length
      last = end
    }
  },
  assertUnchanged: () => Promise.resolve(),
  close: () => Promise.resolve(),
})

/** The row that was read is not the one that its key names: the walk would stand still. */
const nameless = ({ source, key }: Pair, last: Key): ArchiverError =>
  new ArchiverError(
    'ROWS_FAILED',
    `a row of ${fullNameOf(source)} has a key (${key.map(({ name }) => name).join(', ')}) that has no place in UTF-8 and reads as ${JSON.stringify(last.join(', '))}: rows.where cannot walk past it`,
    { hint: 'convert the column to utf8mb4, or list the ids of the other rows in files' },
  )
