import { ArchiverError } from '../../errors.ts'
import { step } from '../../platform/atomic-file.ts'
import type { Session } from '../../sql/session.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { differingColumns } from '../row-texts.ts'
import { assertShape, orChanged } from '../shape.ts'
import { keyText, type Key, type Pair } from '../table.ts'
import type { ArchivedRow } from './exact-rows.ts'

/** What became of the rows of an archive file. They add up to its rows. */
export interface Restored {
  /** Written to the live table now. */
  readonly restored: number
  /** Live already, each value the same. */
  readonly alreadyLive: number
  /** Live with other values: both stay as they are. */
  readonly differing: readonly Key[]
}

/**
 * Makes a connection ready for `restoreRows`, once: an ENUM that is invalid was kept, and the strict mode would not take it back. Each value is read
 * back before the commit.
 */
export const beginRestore = async (session: Session): Promise<void> => {
  if (session.dialect === 'mysql')
    await session.run("SET SESSION sql_mode = REPLACE(@@sql_mode, 'STRICT_ALL_TABLES', '')")
}

/**
 * Puts the rows of one archive file back into the live table, in one transaction, and reads them back under locks before its commit. A live row is never
 * changed. A crash leaves all of them restored, or none. Throws what the database throws, VERIFY_MISMATCH where the table keeps other values.
 */
export const restoreRows = async (
  session: Session,
  dialect: Dialect,
  { source: table, key, columns }: Pair,
  rows: readonly ArchivedRow[],
): Promise<Restored> => {
  // The live table is what is written to; no condition says which of its rows are seen.
  const target: Pair = { source: table, archive: table, key, columns }
  const keys = rows.map((row) => row.key)
  try {
    await dialect.begin(session)
    const live = await dialect.read(session, target, 'archive', keys, true)
    const missing = rows.filter((row) => !live.has(keyText(row.key)))
    await dialect.write(
      session,
      target,
      missing.map(({ texts }) => texts),
    )
    step('rows-restore: written')
    const stored = await dialect.read(session, target, 'archive', keys, true)
    for (const row of missing) {
      const differing = differingColumns(row.texts, stored.get(keyText(row.key)) ?? {})
      if (differing.length > 0) throw notKept(table.name, row.key, differing)
    }
    await assertShape(session, table)
    await session.run('COMMIT')
    step('rows-restore: committed')
    const differing = rows.filter((row) => {
      const now = live.get(keyText(row.key))
      return now !== undefined && differingColumns(row.texts, now).length > 0
    })
    return {
      restored: missing.length,
      alreadyLive: rows.length - missing.length - differing.length,
      differing: differing.map((row) => row.key),
    }
  } catch (error) {
    await session.run('ROLLBACK').catch(() => undefined) // a broken connection has rolled back by itself
    throw await orChanged(error, [[session, table]])
  }
}

const notKept = (table: string, key: Key, differing: readonly string[]): ArchiverError =>
  new ArchiverError(
    'VERIFY_MISMATCH',
    `${table} does not keep the row ${key.join(', ')} as the archive file has it: ${differing.join(', ')}`,
    { hint: 'a trigger or another definition of the column changes it; nothing of this file was restored' },
  )
