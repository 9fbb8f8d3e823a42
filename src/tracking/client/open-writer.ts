import { join } from 'node:path'
import type { Log } from '../../common/log.ts'
import { redact as redactByLook, type Redact } from '../../common/redact.ts'
import { databasePlace, schemaName } from '../../sql/database-url.ts'
import { refusing } from '../ledger/ledger-options.ts'
import type { Row } from '../ledger/row.ts'
import { Spool } from '../ledger/spool.ts'
import { LedgerWriter } from '../ledger/writer.ts'
import { isService, openHttpStore } from './http-store.ts'
import { Lineage, type LineageSettings } from './lineage.ts'
import type { TrackingPlace } from './place.ts'
import type { TrackStore } from './track-store.ts'

/** The name of the file in which rows wait that could not be written. */
export const SPOOL_FILE = 'tracking-spool.jsonl'

export interface WriterSettings {
  readonly place: TrackingPlace
  readonly now: () => number
  readonly log: Log
  readonly version: string
  readonly redact?: Redact | undefined
  /** Milliseconds between a call and its being written. */
  readonly flushEvery?: number | undefined
  /** Milliseconds that a connection, and a statement, may take. */
  readonly timeout?: number | undefined
  /** Milliseconds without another try after one has failed. */
  readonly retryEvery?: number | undefined
  /** Left out: the rows go to the database alone. */
  readonly lineage?: LineageSettings | undefined
}

/** Sends executions as OpenLineage events, where the configuration asks for it. */
export const openLineage = (settings: WriterSettings): Lineage | undefined => {
  const { lineage, version, now, log, redact = redactByLook, timeout = 5000 } = settings
  return lineage && new Lineage({ ...lineage, version, now, log, redact, timeout })
}

/** The writer of trackers: undefined where tracking is off. Throws CONFIG_INVALID for a URL that is none. */
export const openWriter = (
  settings: WriterSettings,
  drain: () => readonly Row[],
): LedgerWriter<TrackStore> | undefined => {
  const { place, now, log, version, redact = redactByLook, timeout = 5000 } = settings
  const spool = new Spool(join(place.folder, SPOOL_FILE))
  const onRefused = refusing(spool, { log, redact })
  const isHttp = isService(place.url)
  const database = isHttp ? undefined : databasePlace(place.url, place.folder)
  if (!database && !isHttp) return undefined
  return new LedgerWriter<TrackStore>({
    connect: async () => {
      if (!database) return openHttpStore({ url: place.url, token: place.token, timeout }, onRefused)
      const { openDatabaseStore } = await import('./track-store.ts')
      const opening = { place: database, schema: schemaName(place.schema), password: place.password, timeout }
      return openDatabaseStore({ ...opening, now, log, version, onRefused })
    },
    spool,
    drain,
    now,
    log,
    redact,
    flushEvery: settings.flushEvery ?? 500,
    retryEvery: settings.retryEvery ?? 30_000,
    timeout,
    words: { subject: 'The database of executions', goesOn: 'the pipeline goes on' },
    ownFirst: true,
    onOpen: () => Promise.resolve(),
    onRecovered: () => undefined,
  })
}
