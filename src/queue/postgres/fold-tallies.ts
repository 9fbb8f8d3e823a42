import type { Sql } from './connection.ts'

/**
 * Adds up what instances counted that nobody remembers any more, in one row a stage, so that the table never grows with the number of
 * processes that ever worked. Sums stay the same at each moment: it is one statement. An instance that counts on after that, because it
 * was frozen for long, begins with a row of its own again. Two that fold at once leave each other's rows alone.
 */
export const foldTallies = async (sql: Sql, schema: string): Promise<void> => {
  await sql.executeSql(
    `WITH forgotten AS (SELECT stage, instance FROM ${schema}.archiver_tallies t WHERE instance <> '${FOLDED}'
         AND NOT EXISTS (SELECT 1 FROM ${schema}.archiver_instances i WHERE i.id = t.instance) FOR UPDATE SKIP LOCKED),
       gone AS (DELETE FROM ${schema}.archiver_tallies t USING forgotten f WHERE t.stage = f.stage AND t.instance = f.instance
         RETURNING t.stage, t.added, t.done, t.failed)
     INSERT INTO ${schema}.archiver_tallies AS t (stage, instance, added, done, failed)
     SELECT stage, '${FOLDED}', sum(added), sum(done), sum(failed) FROM gone GROUP BY stage ORDER BY stage
     ON CONFLICT (stage, instance) DO UPDATE SET added = t.added + excluded.added, done = t.done + excluded.done, failed = t.failed + excluded.failed`,
  )
}

/** No instance has this name. */
const FOLDED = ''
