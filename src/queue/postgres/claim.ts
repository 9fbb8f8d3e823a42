import { SUSPECT_AFTER, type StoredClaim } from '../../engine/claim-store.ts'
import type { Work } from './claims.ts'
import type { Row } from './connection.ts'
import { type Left, leftOf, leftSql } from './left.ts'
import { idOf, type JobData, queueName, withId } from './jobs.ts'

export interface Claimed {
  readonly claims: readonly StoredClaim[]
  /** To be given back at once. */
  readonly back: readonly StoredClaim[]
  /** Of the claims, the one whose holders died so often that the next death makes it poison. */
  readonly suspect: StoredClaim | undefined
  /** As it was before this claim; undefined where nothing was due. */
  readonly left: Left | undefined
}

/**
 * Takes what is due, lowest first, and writes down who has it until when; a suspect only where there is nothing else, one, for an instance
 * that holds nothing. The caller gives back what comes too much: suspects, and all of it where the stage was paused meanwhile.
 */
export const claim = async (work: Work, stage: string, most: number, lease: number): Promise<Claimed> => {
  const rows = await fetchAndHold(work, stage, most, lease)
  const [first] = rows
  if (!first) return { claims: [], back: [], suspect: undefined, left: undefined }
  const left = leftOf(first)
  /** By id: how many claims did not count, and how many holders died. Only where there were any. */
  const marks = new Map(Object.entries((first['marks'] ?? {}) as Record<string, [number, number]>))
  const claims = rows
    .map((row) => {
      const { key, ordinal } = row['data'] as JobData
      const [epoch, id] = [Number(row['retryCount']) + 1, String(row['id'])]
      const [uncounted = 0] = marks.get(id) ?? []
      return withId({ stage, key, ordinal, epoch, attempt: epoch - uncounted }, id)
    })
    .sort((a, b) => a.ordinal - b.ordinal)
  const isSuspect = (one: StoredClaim): boolean => (marks.get(idOf(one))?.[1] ?? 0) >= SUSPECT_AFTER
  const kept = left.halted
    ? []
    : keptOf(claims, isSuspect, {
        held: Number(first['before']),
        suspects: Number(first['suspects_before']),
      })
  return {
    claims: kept,
    back: claims.filter((one) => !kept.includes(one)),
    suspect: kept.find(isSuspect),
    left,
  }
}

const keptOf = (
  claims: readonly StoredClaim[],
  isSuspect: (claim: StoredClaim) => boolean,
  before: { readonly held: number; readonly suspects: number },
): readonly StoredClaim[] => {
  const others = before.suspects > 0 ? [] : claims.filter((one) => !isSuspect(one))
  return others.length > 0 || before.held > 0 ? others : claims.slice(0, 1)
}

/**
 * pg-boss's own `fetch`, with our row of each job written by the same statement: each way to the server and back costs as much as the work
 * there. Its commit waits for no disk: a claim that a crash of the server undoes is nobody's, and its holder is refused, since the row does
 * not name it.
 */
const fetchAndHold = async (
  { boss, sql, schema, instance }: Work,
  stage: string,
  most: number,
  lease: number,
): Promise<readonly Row[]> => {
  const name = queueName(stage)
  const wrapped = (fetch: string, first: number): string => {
    const [stage, instance, lease] = [`$${first}::text`, `$${first + 1}::text`, `$${first + 2}::float8`]
    return `WITH fetched AS (${fetch}),
      counted AS (UPDATE ${schema}.archiver_instances SET claims = claims + (SELECT count(*) FROM fetched) WHERE id = ${instance}),
      ours AS (INSERT INTO ${schema}.archiver_held AS h (stage, id, epoch, instance, claimed_at, lease_until)
        SELECT ${stage}, f.id, f."retryCount" + 1, ${instance}, now(), clock_timestamp() + ${lease} * interval '1 ms' FROM fetched f
        ON CONFLICT (stage, id) DO UPDATE SET epoch = excluded.epoch, instance = excluded.instance, claimed_at = excluded.claimed_at,
          lease_until = excluded.lease_until, message = NULL
        RETURNING h.id, h.uncounted, h.lost),
      beside AS MATERIALIZED (SELECT ${leftSql(schema, stage)}, count(*) AS before,
        count(*) FILTER (WHERE o.lost >= ${SUSPECT_AFTER}) AS suspects_before FROM ${schema}.archiver_held o WHERE o.instance = ${instance}),
      marked AS MATERIALIZED (SELECT jsonb_object_agg(id, jsonb_build_array(uncounted, lost)) FILTER (WHERE uncounted > 0 OR lost > 0)
        AS marks FROM ours)
      SELECT f.id, f.data, f."retryCount", beside.*, marked.marks, set_config('synchronous_commit', 'off', true)
      FROM fetched f, beside, marked`
  }
  const jobs = await boss.fetch<JobData>(name, {
    batchSize: most,
    db: {
      executeSql: (text, values = []) =>
        sql.executeSql(wrapped(text, values.length + 1), [...values, name, instance, lease]),
    },
  })
  return jobs as unknown as readonly Row[]
}
