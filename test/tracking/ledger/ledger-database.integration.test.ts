import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Log } from '../../../src/common/log.ts'
import { tables } from '../../../src/tracking/ledger/ledger-tables.ts'
import { databasePlace } from '../../../src/sql/database-url.ts'
import type { Row } from '../../../src/tracking/ledger/row.ts'
import { openStore, type OpenStore } from '../../../src/tracking/ledger/ledger-database.ts'
import { engines, freshPlace, type Place } from './engines.ts'

let place: Place
let warnings: string[] = []
const quiet = (): void => undefined
const log: Log = { debug: quiet, info: quiet, warn: (text) => void warnings.push(text), error: quiet }
const open = (onRefused: (row: Row) => void = quiet): Promise<OpenStore> => {
  const to = databasePlace(place.url, place.workDir)
  if (!to) throw new Error('no place')
  const { schema } = place
  const now = (): number => 0
  return openStore({
    place: to,
    schema,
    password: undefined,
    timeout: 5000,
    now,
    log,
    version: '1',
    onRefused,
  })
}
const file = (run: number, more: Row['cells'] = {}): Row => ({
  table: 'files',
  cells: {
    run_id: '6f1f5a68-95a0-4c0f-b1a5-4a1a3cfe0001',
    stage: 'import',
    run,
    file_name: String(run),
    state: 'done',
    started_at: '2025-01-01 00:00:00.000',
    error_code: null,
    error_message: null,
    revision: 1,
    ...more,
  },
  transient: false,
})

describe.each(await engines())('a row that %s refuses', (dialect) => {
  beforeEach(async () => {
    warnings = []
    place = await freshPlace(dialect)
  })
  afterEach(() => place.drop())

  it.each([
    ['has no value where there must be one', { state: null }, ['sqlite', 'postgres', 'mysql']],
    ['is too long', { error_code: 'x'.repeat(60) }, ['postgres', 'mysql']],
    ['has a number beyond its column', { total_batches: 3e9 }, ['postgres', 'mysql']],
  ])('keeps no other from being written when it %s', async (_what, cells, on) => {
    if (!on.includes(dialect)) return
    const refused: Row[] = []
    const store = await open((row) => refused.push(row))
    const bad = [3, 8].map((run) => file(run, cells))
    await store.write(
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map((run) => bad.find((row) => row.cells['run'] === run) ?? file(run)),
    )
    const written = await tables(store.database).selectFrom('files').select('run').orderBy('run').execute()
    expect(written.map(({ run }) => Number(run))).toEqual([1, 2, 4, 5, 6, 7, 9])
    expect(refused).toEqual(bad)
    await store.close()
  })

  it('is not one when the table itself is away: then all rows wait', async () => {
    const refused: Row[] = []
    const store = await open((row) => refused.push(row))
    const files = dialect === 'postgres' ? 'tasker.files' : 'files'
    await sql
      .raw(`DROP TABLE ${files}${dialect === 'postgres' ? ' CASCADE' : ''}`)
      .execute(store.database.kysely)
    await expect(store.write([file(1), file(2)])).rejects.toThrow()
    expect(refused).toEqual([])
    await store.close()
  })
})
