import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { now } from '../../../src/platform/host.ts'
import { migrateLedger } from '../../../src/tracking/ledger/migrate-ledger.ts'
import { writeRows } from '../../../src/tracking/ledger/upsert.ts'
import { listActions, noteAction } from '../../../src/tracking/api/action-events.ts'
import type { LedgerDatabase } from '../../../src/tracking/ledger/schema-types.ts'
import { freshPlace, type Place } from '../ledger/engines.ts'

const ID = '6f1c2d04-0000-4000-8000-000000000001'
let place: Place
let database: LedgerDatabase
beforeEach(async () => {
  place = await freshPlace('sqlite')
  database = await place.open()
  await migrateLedger(database, { now, by: 'test' })
})
afterEach(async () => {
  await database.close()
  await place.drop()
})

describe('the actions of people', () => {
  it.each(['null', '[]', '5', 'retry'])(
    'are listed though another program wrote %s beside them',
    async (detail) => {
      const cells = { run_id: ID, seq: 1, at: '2026-11-30 02:00:00.000', kind: 'page.strange', detail }
      await writeRows(
        database.kysely,
        [{ table: 'events', cells, transient: false }],
        database.dialect,
        undefined,
      )
      await noteAction(database, ID, { at: 5, action: 'retry', command: 'c', who: 'token', from: '::1' })
      expect(await listActions(database, 10)).toEqual([
        { at: Date.UTC(2026, 10, 30, 2), action: 'strange', command: '', who: '', from: '' },
        { at: 5, action: 'retry', command: 'c', who: 'token', from: '::1' },
      ])
    },
  )
})
