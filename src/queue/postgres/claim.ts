import { SUSPECT_AFTER, type StoredClaim } from '../../engine/claim-store.ts'
import type { Work } from './claims.ts'
import type { Row } from './connection.ts'
import { type Left, leftOf, leftSql } from './left.ts'
import { type JobData, jobId, queueName } from './jobs.ts'

export interface Claimed {
  readonly claims: readonly StoredClaim[]
  /** To be given back at once. */
  readonly back: readonly StoredClaim[]
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
  if (!first) return { claims: [], back: [], left: undefined }
  const left = leftOf(first)
  const claims = rows
    .map(({ data, retryCount, ...row }) => {
      const { key, ordinal } = data as JobData
      const epoch = Number(retryCount) + 1
      return { stage, key, ordinal, epoch, attempt: epoch - Number(row['uncounted']) }
    })
    .sort((a, b) => a.ordinal - b.ordinal)
  const suspects = new Set(rows.flatMap((row) => (Number(row['lost']) >= SUSPECT_AFTER ? [row['id']] : [])))
  const kept = left.halted
    ? []
    : keptOf(claims, ({ key }) => suspects.has(jobId(stage, key)), {
        held: Number(first['before']),
        suspects: Number(first['suspects_before']),
      })
  return { claims: kept, back: claims.filter((one) => !kept.includes(one)), left }
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
      beside AS MATERIALIZED (SELECT ${leftSql(schema, stage)},
        (SELECT count(*) FROM ${schema}.archiver_held o WHERE o.instance = ${instance}) AS before,
        (SELECT count(*) FROM ${schema}.archiver_held o WHERE o.instance = ${instance} AND o.lost >= ${SUSPECT_AFTER}) AS suspects_before)
      SELECT f.id, f.data, f."retryCount", ours.uncounted, ours.lost, beside.*, set_config('synchronous_commit', 'off', true)
      FROM fetched f JOIN ours ON ours.id = f.id, beside`
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
