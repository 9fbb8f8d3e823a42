import { ArchiverError } from '../errors.ts'
import type { Session } from '../sql/session.ts'
import type { Dialect } from './dialects/dialect.ts'
import type { Table } from './table.ts'

/**
 * Throws ROWS_REFUSED where a table is no longer as it was when the run looked at it: the values of a new column would be deleted and never copied.
 * Asked in the transaction of a batch, after its first statement on the table, so that it holds until the commit.
 */
export const assertShape = async (dialect: Dialect, session: Session, table: Table): Promise<void> => {
  if ((await dialect.shapeOf(session, table)) === table.shape) return
  throw new ArchiverError(
    'ROWS_REFUSED',
    `the columns of ${table.schema}.${table.name} have changed since the run began, or its triggers`,
    { hint: 'run again: it looks at both tables anew, and finished batches are skipped' },
  )
}
