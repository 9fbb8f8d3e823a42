import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHILDREN, makeGroups } from './group-site.ts'
import { DIALECTS, range, serverAnswers, type Site } from './servers.ts'

/** ARCHIVER_ROWS_TABLES=500 is the long form. */
const RUNS = Number(process.env['ARCHIVER_ROWS_TABLES'] ?? 5)
const ROOTS = 12

/** Each live table by what names a row in it, and the row's root. */
const TABLES = {
  r: { key: 'id', root: 'id' },
  c: { key: 'id', root: 'rid' },
  g: { key: 'cid * 10 + no', root: 'cid DIV 10' },
} as const
type Table = keyof typeof TABLES

interface Twin {
  readonly table: Table
  readonly pick: number
  readonly changed: boolean
}

const scenario = fc.record({
  twins: fc.array(
    fc.record({ table: fc.constantFrom<Table>('r', 'c', 'g'), pick: fc.nat(1000), changed: fc.boolean() }),
    { maxLength: 14 },
  ),
  batchSize: fc.integer({ min: 1, max: 15 }),
  gone: fc.uniqueArray(fc.integer({ min: 1, max: ROOTS }), { maxLength: 2 }),
})

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: random groups are not moved there`)

  describe.skipIf(!isThere)(`random groups of ${name} rows`, () => {
    let site: Site
    beforeAll(async () => {
      site = await makeGroups(name, ROOTS)
      site.file('ids.csv', range(1, ROOTS + 1))
      for (const table of ['r', 'c', 'g'])
        await site.sql(`CREATE TABLE was_${table} AS SELECT * FROM ${table}`)
    })
    afterAll(async () => site.drop())

    const rootOf = (table: Table): string =>
      name === 'mysql' ? TABLES[table].root : TABLES[table].root.replace('DIV', '/')

    const fresh = async (twins: readonly Twin[], gone: readonly number[]): Promise<void> => {
      await site.sql(
        'DELETE FROM g',
        'DELETE FROM c',
        'DELETE FROM r',
        ...['ra', 'ca', 'ga'].map((table) => `DELETE FROM ${table}`),
        'DROP TABLE IF EXISTS batch_processing_logs, file_processing_logs, process_logs, row_conflicts',
      )
      for (const table of ['r', 'c', 'g'] as const)
        await site.sql(
          `INSERT INTO ${table} SELECT * FROM was_${table}${gone.length === 0 ? '' : ` WHERE ${rootOf(table)} NOT IN (${gone.join(', ')})`}`,
        )
      for (const { table, pick, changed } of twins) {
        const keys = await site.rows(`SELECT ${TABLES[table].key} AS k FROM was_${table} ORDER BY 1`)
        const mine = `${TABLES[table].key} = ${keys[pick % keys.length]!['k']}`
        await site.sql(
          `DELETE FROM ${table}a WHERE ${mine}`,
          `INSERT INTO ${table}a SELECT * FROM was_${table} WHERE ${mine}`,
          ...(changed ? [`UPDATE ${table}a SET t = 'another' WHERE ${mine}`] : []),
        )
      }
    }
    const read = async (place: string, table: Table): Promise<Map<string, string>> =>
      new Map(
        (
          await site.rows(`SELECT x.*, ${TABLES[table].key} AS k, ${rootOf(table)} AS root FROM ${place} x`)
        ).map(({ k, root, ...row }) => [`${root}/${k}`, JSON.stringify(row)]),
      )
    const picture = async () =>
      Promise.all(
        (['r', 'c', 'g'] as const).map(async (table) => ({
          table,
          live: await read(table, table),
          kept: await read(`${table}a`, table),
        })),
      )

    it(`go whole or stay whole, and keep every version, in ${RUNS} cases`, async () => {
      await fc.assert(
        fc.asyncProperty(scenario, async ({ twins, batchSize, gone }) => {
          await fresh(twins, gone)
          const before = await picture()
          const held = new Set<string>()
          for (const { live, kept } of before)
            for (const [key, row] of live) if ((kept.get(key) ?? row) !== row) held.add(key.split('/')[0]!)
          const outcome = await site.move({ children: CHILDREN, batchSize })
          expect(outcome.error).toBeUndefined()
          const after = await picture()
          for (const [at, { live, kept }] of before.entries()) {
            const now = after[at]!
            const stays = [...live].filter(([key]) => held.has(key.split('/')[0]!))
            const goes = [...live].filter(([key]) => !held.has(key.split('/')[0]!))
            expect([...now.live].toSorted()).toEqual(stays.toSorted())
            expect([...now.kept].toSorted()).toEqual([...new Map([...kept, ...goes])].toSorted())
          }
          const { counts } = outcome
          expect(counts.conflicts + counts.heldBack).toBe(held.size)
          expect(outcome.status).toBe(held.size === 0 ? 'COMPLETED' : 'PARTIAL')
          // Once more changes nothing.
          await site.move({ children: CHILDREN, batchSize })
          expect(await picture()).toEqual(after)
        }),
        { numRuns: RUNS, endOnFailure: RUNS < 50 },
      )
    }, 3_600_000)
  })
}
