import { beforeEach, describe, expect, it } from 'vitest'
import { join } from 'node:path'
import { ItemError } from '../../../src/records/item-error.ts'
import { readMapping } from '../../../src/records/mapping/read-mapping.ts'
import { failItem, type ItemOptions } from '../../../src/records/run/process-item.ts'
import type { RecordsDatabase } from '../../../src/records/sql/database.ts'
import { ensureLog } from '../../../src/records/sql/log-table.ts'
import { openSqliteDatabase } from '../../../src/records/sql/sqlite-database.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const MAPPING = `version: 1
record: { root: order, key: /order/@id, key_type: bigint }
tables: [{ table: orders, key: [id], columns: { id: { from: $key, type: bigint } } }]
`
const poison = new ItemError('POISON', 'its process died three times')

describe('the failure of an item that is not tried', () => {
  let database: RecordsDatabase
  beforeEach(async () => {
    database = openSqliteDatabase(join(temporaryFolder('fail-item'), 'target.db'), 1000)
    await ensureLog(database, 'bigint')
    return () => database.close()
  })

  /** A target that is in the way so often, by `error`. */
  const failing = (times: number, error: Error): ItemOptions => {
    let left = times
    const target: RecordsDatabase = {
      dialect: 'sqlite',
      session: database.session,
      inOneTrip: undefined,
      commitsTogether: 1,
      transaction: (work) => (left-- > 0 ? Promise.reject(error) : database.transaction(work)),
      close: () => database.close(),
    }
    return {
      database: target,
      mapping: readMapping(MAPPING, 'map.yaml'),
      writer: {
        task: 'orders',
        keyType: 'bigint',
        sessionId: 's1',
        instanceId: null,
        instanceCount: null,
        rangeStart: null,
        rangeEnd: null,
        mappingSha256: '',
      },
      catalogue: new Map(),
      source: {
        // eslint-disable-next-line @typescript-eslint/require-await -- nothing is read
        async *keys() {
          yield []
        },
        read: () => Promise.resolve(undefined),
        close: () => Promise.resolve(),
      },
      map: () => Promise.reject(new Error('not mapped')),
      strict: false,
      now: () => 0,
      random: () => 0,
      stop: new AbortController().signal,
      reached: () => undefined,
    }
  }
  const deadlock = Object.assign(new Error('deadlock detected'), { code: '40P01' })

  it('is logged after a deadlock and a broken connection, as a store is', async () => {
    const outcome = await failItem('7', poison, failing(4, deadlock))
    expect(outcome).toMatchObject({ key: '7', status: 'failed', error: { code: 'POISON' } })
    expect(await database.session.rows('SELECT app_id, status, code FROM processing_log')).toEqual([
      { app_id: 7, status: 'failed', code: 'POISON' },
    ])
  })
  it.each([
    ['that stays in the way', 5, deadlock, 'deadlock detected'],
    ['of a target that is away, at once', 1, new Error('disk I/O error'), 'disk I/O error'],
  ])('names the cause %s', async (_what, times, error, said) => {
    await expect(failItem('7', poison, failing(times, error))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining(said) as string,
    })
    expect(await database.session.rows('SELECT app_id FROM processing_log')).toEqual([])
  })
})
