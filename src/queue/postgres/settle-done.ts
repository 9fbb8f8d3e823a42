import type { StoredClaim } from '../../engine/claim-store.ts'
import { countEnded } from '../claim-rows.ts'
import type { Work } from './claims.ts'
import { MINUTE } from './instance-row.ts'
import { attemptOf, queueName } from './jobs.ts'

/**
 * Records that claims of one stage are done; returns those that were still ours. One statement, so that it may stand alone: our rows of the
 * claims go first, then pg-boss's own `complete` ends the jobs whose row was ours. Fails where the two disagree, and has changed nothing then.
 */
export const settleDone = async (
  { boss, sql, schema, instance }: Work,
  done: readonly StoredClaim[],
): Promise<readonly StoredClaim[]> => {
  const [first] = done
  if (!first) return []
  const attempts = done.map(attemptOf)
  const own = [instance, done.length]
  const ids = new Set<unknown>()
  await boss.complete(queueName(first.stage), attempts, null, {
    db: {
      executeSql: async (complete, values = []) => {
        const text = withOurRows(complete, schema, values.length + 1)
        const result = await sql.executeSql(text, [...values, ...own])
        for (const id of (result.rows[0]?.['ids'] ?? []) as string[]) ids.add(id)
        return result
      },
    },
  })
  return done.filter((_, at) => ids.has(attempts[at]?.id))
}

/**
 * pg-boss's statement has the queue in $1, the ids in $2, and ids with their attempts in $4; `first` is the first parameter of ours. The ids
 * find our rows by their key, and nothing else is read, whatever the planner expects.
 */
const withOurRows = (complete: string, schema: string, first: number): string => {
  const [instance, asked] = [`$${first}::text`, `$${first + 1}::bigint`]
  const ended = '(SELECT count(*) FROM gone)'
  const ours = `gone AS (DELETE FROM ${schema}.archiver_held h WHERE h.stage = $1 AND h.id = ANY($2::uuid[])
      AND (h.id::text || ':' || (h.epoch - 1)) = ANY($4::text[]) AND h.instance || '' = ${instance} RETURNING h.id),
    counted AS (INSERT INTO ${schema}.archiver_tallies AS t (stage, instance, added, done, failed)
      SELECT $1, ${instance}, 0, count(*), 0 FROM gone ON CONFLICT (stage, instance) DO UPDATE SET done = t.done + excluded.done),
    own AS (UPDATE ${schema}.archiver_instances SET done = done + ${ended}, fenced = fenced + ${asked} - ${ended},
      ${countEnded(MINUTE, ended)} WHERE id = ${instance})`
  const [begin, ids, attempts] = [/^\s*WITH\b/, '$2::uuid[]', 'ANY($4::text[])']
  if (!begin.test(complete) || complete.split(ids).length !== 2 || !complete.includes(attempts))
    throw new Error('this version of pg-boss completes jobs in another way than the queue knows')
  const theirs = complete.replace(ids, () => 'ARRAY(SELECT id FROM gone)').trimEnd()
  // A cast that fails is the one way in which a statement can refuse itself.
  return `${theirs.replace(begin, () => `WITH ${ours},`)}
    HAVING count(*) = ${ended} OR ('the tables of the queue disagree: pg-boss ended ' || count(*))::int IS NULL`
}
