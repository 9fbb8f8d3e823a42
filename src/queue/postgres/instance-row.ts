import { countEnded } from '../claim-rows.ts'
import type { Work } from './claims.ts'

/** Minutes of the server's clock. */
export const MINUTE = 'floor(extract(epoch FROM clock_timestamp()) / 60)::bigint'

/** Counts failures, and results that were refused, in the row of this instance; in the transaction that recorded them. */
export const countFailed = async (
  { sql, schema, instance }: Work,
  failed: number,
  fenced: number,
): Promise<void> => {
  await sql.executeSql(
    `UPDATE ${schema}.archiver_instances SET failed = failed + $2::bigint, fenced = fenced + $3,
       ${countEnded(MINUTE, '$2::bigint')} WHERE id = $1`,
    [instance, failed, fenced],
  )
}
