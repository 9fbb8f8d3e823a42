import { countEnded } from '../claim-rows.ts'
import type { Work } from './claims.ts'

/** Counts results in the row of this instance, in the transaction that recorded them. */
export const countSettled = async (
  { sql, schema, instance }: Work,
  done: number,
  failed: number,
  fenced: number,
): Promise<void> => {
  const minute = 'floor(extract(epoch FROM clock_timestamp()) / 60)::bigint'
  await sql.executeSql(
    `UPDATE ${schema}.archiver_instances SET done = done + $2::bigint, failed = failed + $3::bigint, fenced = fenced + $4,
       ${countEnded(minute, '($2::bigint + $3::bigint)')} WHERE id = $1`,
    [instance, done, failed, fenced],
  )
}
