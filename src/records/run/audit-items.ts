import { createHash } from 'node:crypto'
import { ItemError } from '../item-error.ts'
import { mapSafely } from '../workers/map-task.ts'
import { standingOf } from '../map/compare-rows.ts'
import type { Mapping } from '../mapping/model.ts'
import { readIfReadable, type RecordSource } from '../sources/source.ts'
import type { CatalogueColumn } from '../sql/catalogue-column.ts'
import type { RecordsDatabase } from '../sql/database.ts'
import { logStates, type LogState } from '../sql/processing-log.ts'
import { storedFor } from '../sql/store-item.ts'

export interface AuditOptions {
  readonly task: string
  readonly source: RecordSource
  readonly mapping: Mapping
  readonly database: RecordsDatabase
  readonly catalogue: ReadonlyMap<string, ReadonlyMap<string, CatalogueColumn>>
  readonly batchSize: number
  /** Of each hundred items that are logged as stored, how many are mapped again; one at least, where there is one. The same ones each time. */
  readonly sample: number
  readonly now: () => number
  readonly stop: AbortSignal
}

/**
 * What one item is, by its payload, its log row and the tables together:
 * `archived` all rows stand as the payload maps; `failed`, `pending` by the log; `LOST` logged as stored and rows are missing or differ;
 * `ORPHAN` all rows stand and no log row says so; `CHANGED` the payload is another one than was stored; `unchecked` logged as stored and
 * not in the sample.
 */
export type AuditVerdict = 'archived' | 'unchecked' | 'failed' | 'pending' | 'LOST' | 'ORPHAN' | 'CHANGED'

export interface AuditResult {
  readonly counts: Readonly<Record<AuditVerdict, number>>
  /** Items that are LOST, ORPHAN or CHANGED, the first 1000. */
  readonly findings: readonly {
    readonly key: string
    readonly verdict: AuditVerdict
    readonly table?: string
  }[]
}

const MOST_FINDINGS = 1000

/** Maps every payload of the source again and compares it with what the target holds. Writes nothing. */
export const auditItems = async (options: AuditOptions): Promise<AuditResult> => {
  const counts: Record<AuditVerdict, number> = {
    archived: 0,
    unchecked: 0,
    failed: 0,
    pending: 0,
    LOST: 0,
    ORPHAN: 0,
    CHANGED: 0,
  }
  const findings: { key: string; verdict: AuditVerdict; table?: string }[] = []
  const add = (key: string, { verdict, table }: Verdict): void => {
    counts[verdict]++
    const isFinding = verdict === 'LOST' || verdict === 'ORPHAN' || verdict === 'CHANGED'
    if (isFinding && findings.length < MOST_FINDINGS)
      findings.push({ key, verdict, ...(table === undefined ? {} : { table }) })
  }
  // The first that a larger sample would take, in case that this one takes none.
  let nearest: { readonly key: string; readonly state: LogState; readonly place: number } | undefined
  let isOneChecked = false
  for await (const keys of options.source.keys({
    batchSize: options.batchSize,
    from: undefined,
    to: undefined,
  })) {
    const states = await logStates(
      options.database,
      { task: options.task, keyType: options.mapping.record.keyType },
      keys,
    )
    for (const key of keys) {
      if (options.stop.aborted) return { counts, findings }
      const state = states.get(key)
      const place = placeOf(key)
      if (state?.status !== 'success' || place < options.sample) {
        add(key, await verdictOf(key, state, options))
        isOneChecked ||= state?.status === 'success'
      } else {
        counts.unchecked++
        if (!nearest || place < nearest.place) nearest = { key, state, place }
      }
    }
  }
  if (!isOneChecked && nearest) {
    counts.unchecked--
    add(nearest.key, await verdictOf(nearest.key, nearest.state, options))
  }
  return { counts, findings }
}

interface Verdict {
  readonly verdict: AuditVerdict
  readonly table?: string | undefined
}

const verdictOf = async (
  key: string,
  state: LogState | undefined,
  options: AuditOptions,
): Promise<Verdict> => {
  const { source, mapping, database, catalogue } = options
  const isStored = state?.status === 'success'
  const otherwise: Verdict = { verdict: isStored ? 'LOST' : state ? 'failed' : 'pending' }
  const payload = await readIfReadable(source, key)
  if (payload === undefined || payload === null) return isStored ? { verdict: 'CHANGED' } : otherwise
  const sha = createHash('sha256').update(payload).digest('hex')
  if (isStored && state.payloadSha256 !== null && state.payloadSha256 !== sha) return { verdict: 'CHANGED' }
  try {
    // As at the item's own time: a row may hold it.
    const record = mapSafely(payload, mapping, {
      sourceKey: key,
      now: state?.startedAt ?? options.now(),
      strict: false,
    })
    const rows = [...record.rows.values()].reduce((sum, { length }) => sum + length, 0)
    if (rows === 0) return isStored ? { verdict: 'archived' } : otherwise
    const standing = standingOf(
      mapping,
      record.rows,
      await storedFor(database.session, record, { mapping, database, catalogue }),
    )
    if (standing.type === 'present') return { verdict: isStored ? 'archived' : 'ORPHAN' }
    return {
      ...otherwise,
      ...(isStored ? { table: [...standing.rows].find(([, left]) => left.length > 0)?.[0] } : {}),
    }
  } catch (error) {
    if (!(error instanceof ItemError)) throw error
    return { ...otherwise, ...(isStored ? { table: error.place.table } : {}) }
  }
}

/** Where an item stands among all, from 0 to below 100, the same each time. A sample takes those below its percentage. */
const placeOf = (key: string): number =>
  (createHash('sha256').update(key).digest().readUInt32BE() / 2 ** 32) * 100
