import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { runCommand } from '../../../src/commands/records/run.ts'
import { CommitUnknownError } from '../../../src/records/sql/database.ts'
import { openRecordsDatabase } from '../../../src/records/sql/open-database.ts'
import { printing } from '../databases.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { SmallStore, type Fault } from './small-store.ts'

const MAPPING = `version: 1
record: { root: order, key: /order/@id }
tables:
  - table: orders
    key: [record_id]
    columns:
      record_id: { from: $key, type: bigint }
      total: { from: /order/@total, type: decimal, precision: 19, scale: 2 }
      placed: { from: /order/@placed, type: datetime, scale: 3 }
`

let store: SmallStore
afterEach(() => store.server.close())

/** Runs three items into a peer with these faults. */
const run = async (...faults: Fault[]) => {
  store = new SmallStore(faults)
  const url = await store.server.listen()
  const folder = temporaryFolder('mssql')
  mkdirSync(join(folder, 'inbox'))
  for (const id of [1, 2, 3])
    writeFileSync(
      join(folder, 'inbox', `${id}.xml`),
      `<order id="${id}" total="99999999999999999.99" placed="2026-02-03T04:05:06.789Z"/>`,
    )
  writeFileSync(join(folder, 'map.yaml'), MAPPING)
  const config = join(folder, 'config.yaml')
  writeFileSync(
    config,
    `app: { work_dir: ${folder}/work }\nrecords: { tasks: { orders: map.yaml }, source_files: inbox, target_url: "${url}", workers: 1 }\n`,
  )
  const { context, printed } = printing()
  const code = await runCommand({ task: 'orders', config, json: true }, context).catch(
    (error: unknown) => error,
  )
  return { code, metrics: printed() === '' ? undefined : (JSON.parse(printed()) as Record<string, unknown>) }
}
const LOGGED = 'INSERT INTO [processing_log]'
const STORED = 'INSERT INTO [orders]'
const ITEM = ['begin', LOGGED, STORED, 'commit']

describe('records run into SQL Server, over the wire', () => {
  it('writes log row, rows and COMMIT of each item in this order, and no digit is lost', async () => {
    const { code, metrics } = await run()
    expect([code, metrics]).toMatchObject([
      0,
      { total_applications_successful: 3, total_database_inserts: 3 },
    ])
    expect(store.order).toEqual([...ITEM, ...ITEM, ...ITEM])
    expect(store.inserted).toEqual(
      [1, 2, 3].map((id) => `orders: ${id} 99999999999999999.99 2026-02-03 04:05:06.789`),
    )
    const insert = store.server.asked.find(({ sql }) => sql.startsWith(STORED))
    expect(insert?.sql).toBe(
      'INSERT INTO [orders] ([record_id], [total], [placed]) VALUES (@p1, CAST(@p2 AS decimal(19, 2)), @p3)',
    )
  })

  it.each<{ what: string; fault: Fault; order: string[] }>([
    {
      what: 'a deadlock',
      fault: { at: /^INSERT INTO \[orders\]/, nth: 2, does: 1205 },
      order: ['begin', LOGGED, STORED, 'rollback'],
    },
    {
      what: 'a connection that breaks in the transaction',
      fault: { at: /^INSERT INTO \[orders\]/, nth: 2, does: 'cut before' },
      order: ['begin', LOGGED, STORED],
    },
    {
      what: 'a connection that breaks after a row is written',
      fault: { at: /^INSERT INTO \[orders\]/, nth: 2, does: 'cut after' },
      order: ['begin', LOGGED, STORED],
    },
    {
      what: 'a connection that breaks at BEGIN',
      fault: { at: 'begin', nth: 2, does: 'cut before' },
      order: ['begin'],
    },
    {
      what: 'a connection that breaks before COMMIT took effect',
      fault: { at: 'commit', nth: 2, does: 'cut before' },
      order: ITEM,
    },
  ])('$what: the item is done again, whole', async ({ fault, order }) => {
    const { code, metrics } = await run(fault)
    expect([code, metrics]).toMatchObject([
      0,
      { total_applications_successful: 3, total_applications_failed: 0 },
    ])
    expect(store.order).toEqual([...ITEM, ...order, ...ITEM, ...ITEM])
    expect(store.inserted).toHaveLength(3)
    expect([...store.log.values()]).toEqual(['success', 'success', 'success'])
  })

  it('a COMMIT whose answer is lost is asked for over a new connection, and nothing is done twice', async () => {
    const { code, metrics } = await run({ at: 'commit', nth: 2, does: 'cut after' })
    expect([code, metrics]).toMatchObject([0, { total_applications_successful: 3, present: 0 }])
    expect(store.order).toEqual([...ITEM, ...ITEM, ...ITEM])
    expect(store.inserted).toHaveLength(3)
    const lost = store.server.asked.findIndex(
      ({ type }, at) =>
        type === 'commit' &&
        store.server.asked.slice(0, at).filter((one) => one.type === 'commit').length === 1,
    )
    const next = store.server.asked[lost + 1]
    expect(next?.sql).toContain('payload_sha256 AS sha')
    expect(next?.connection).not.toBe(store.server.asked[lost]?.connection)
  })

  it.each([
    {
      number: 2627,
      code: 'CONSTRAINT',
      tries: 6,
      why: 'a key is taken, and nothing of the record stands there',
    },
    { number: 547, code: 'CONSTRAINT', tries: 1, why: 'a constraint' },
    { number: 2628, code: 'STORE_REFUSED', tries: 1, why: 'a text that would be cut' },
    { number: 8114, code: 'STORE_REFUSED', tries: 1, why: 'a value of another type' },
  ])('$number ($why) fails its item as $code, rolls back and goes on', async ({ number, code, tries }) => {
    const faults = Array.from({ length: tries }, () => ({ at: /^INSERT INTO \[orders\]/, does: number }))
    const { code: exit, metrics } = await run(...faults)
    expect(exit).toBe(1)
    expect(metrics).toMatchObject({
      total_applications_successful: 2,
      failure_summary: { by_code: { [code]: 1 } },
    })
    expect(store.order.filter((one) => one === 'rollback')).toHaveLength(tries)
    expect(store.inserted).toHaveLength(2)
    expect(store.log.get('1')).toBe('failed')
    expect(JSON.stringify(metrics)).not.toContain('secret')
  })

  it.each([4060, 18456, 208])('%i stops the run, and blames no item', async (number) => {
    const { code } = await run({ at: /^INSERT INTO \[orders\]/, does: number })
    expect(code).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect([store.inserted, [...store.log]]).toEqual([[], []])
  })
})

describe('a transaction on SQL Server', () => {
  const open = async (...faults: Fault[]) => {
    store = new SmallStore(faults)
    const place = { dialect: 'mssql', server: await store.server.listen() } as const
    return openRecordsDatabase({ place, password: undefined, connections: 1, timeout: 5000 })
  }
  it('that loses the answer to COMMIT says that it does not know', async () => {
    const database = await open({ at: 'commit', does: 'cut after' })
    const insert = database.transaction((session) =>
      session.change('INSERT INTO [orders] ([record_id]) VALUES (?)', ['9']),
    )
    await expect(insert).rejects.toBeInstanceOf(CommitUnknownError)
    expect(store.inserted).toEqual(['orders: 9'])
    await database.close()
  })
  it('would store its rows twice where a writer takes that for a failure and does not ask', async () => {
    const database = await open({ at: 'commit', does: 'cut after' })
    const insert = () =>
      database.transaction((session) =>
        session.change('INSERT INTO [orders] ([record_id]) VALUES (?)', ['9']),
      )
    await insert().catch(insert)
    expect(store.inserted).toEqual(['orders: 9', 'orders: 9'])
    await database.close()
  })
  it('that throws is rolled back, and its connection is used again', async () => {
    const database = await open()
    const work = database.transaction(async (session) => {
      await session.change('INSERT INTO [orders] ([record_id]) VALUES (?)', ['9'])
      throw new Error('not so')
    })
    await expect(work).rejects.toThrow('not so')
    await database.transaction((session) =>
      session.change('INSERT INTO [orders] ([record_id]) VALUES (?)', [null]),
    )
    expect(store.inserted).toEqual(['orders: '])
    expect(new Set(store.server.asked.map(({ connection }) => connection)).size).toBe(1)
    await database.close()
  })
})
