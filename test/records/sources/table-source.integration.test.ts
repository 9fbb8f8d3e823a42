import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TableSource } from '../../../src/records/sources/table-source.ts'
import { answers, DIALECTS, openSite, type Site } from '../databases.ts'

const there = await Promise.all(DIALECTS.map(async (dialect) => [dialect, await answers(dialect)] as const))

describe.each(there.filter(([, isThere]) => isThere).map(([dialect]) => dialect))(
  'a source on %s',
  (dialect) => {
    let site: Site
    beforeEach(async () => {
      site = await openSite(dialect)
    })
    afterEach(() => site.close())

    const source = (given: object) =>
      new TableSource(site.database, {
        format: 'xml',
        table: undefined,
        query: undefined,
        key: 'k',
        payload: 'p',
        ...given,
      } as never)
    const keysOf = async (one: TableSource, batchSize = 1): Promise<string[]> => {
      const keys: string[] = []
      for await (const batch of one.keys({ batchSize, from: undefined, to: undefined })) {
        keys.push(...batch)
        if (keys.length > 20) break
      }
      return keys
    }

    it('takes a query with a question mark in a text', async () => {
      await site.fill({ 1: 'a', 2: 'b' })
      const one = source({
        query: "SELECT record_id AS k, payload AS p FROM source_records WHERE payload <> '?'",
      })
      expect(await keysOf(one)).toEqual(['1', '2'])
      expect(await one.read('2')).toBe('b')
    })
    it('keeps the digits of a JSON column', async () => {
      const type = { sqlite: 'TEXT', postgres: 'jsonb', mysql: 'JSON', mssql: 'nvarchar(max)' }[dialect]
      await site.database.session.change(`CREATE TABLE j (k bigint PRIMARY KEY, p ${type})`)
      await site.database.session.change('INSERT INTO j (k, p) VALUES (?, ?)', [
        1,
        '{"r": {"id": 9007199254740993}}',
      ])
      expect(await source({ table: 'j' }).read('1')).toContain('9007199254740993')
    })
    it('tells keys apart that floating point does not', async () => {
      const keys = ['9007199254740991', '9007199254740992', '9007199254740993', '9007199254740994']
      for (const key of keys)
        await site.database.session.change(
          `INSERT INTO source_records (record_id, payload) VALUES (${key}, '${key}')`,
        )
      const one = source({ table: 'source_records', key: 'record_id', payload: 'payload' })
      expect(await keysOf(one)).toEqual(keys)
      for (const key of keys) expect(await one.read(key)).toBe(key)
      const two = source({ query: 'SELECT record_id + 0 AS k, payload AS p FROM source_records' })
      expect(await keysOf(two)).toEqual(keys)
      for (const key of keys) expect(await two.read(key)).toBe(key)
    })
    it('walks keys that are texts of digits, and a text among them', async () => {
      await site.database.session.change('CREATE TABLE s (k varchar(20) PRIMARY KEY, p varchar(20))')
      await site.database.session.change(
        "INSERT INTO s (k, p) VALUES ('007', 'a'), ('1', 'b'), ('2', 'c'), ('x', 'd')",
      )
      const one = source({ table: 's' })
      expect(await keysOf(one)).toEqual(['007', '1', '2', 'x'])
      expect(await one.read('007')).toBe('a')
      const two = source({ query: 'SELECT trim(k) AS k, p FROM s' })
      expect(await keysOf(two)).toEqual(['007', '1', '2', 'x'])
      expect(await two.read('1')).toBe('b')
    })
    it('is walked between bounds, whatever the type of its keys', async () => {
      const bounded = async (one: TableSource): Promise<string[]> => {
        const keys: string[] = []
        for await (const batch of one.keys({ batchSize: 2, from: '2', to: '4' })) keys.push(...batch)
        return keys
      }
      const values = ['1', '2', '3', '4', '5']
      await site.database.session.change(
        'CREATE TABLE s (k varchar(20) PRIMARY KEY, n bigint, p varchar(20))',
      )
      await site.database.session.change(
        `INSERT INTO s (k, n, p) VALUES ${values.map((key) => `('${key}', ${key}, 'p')`).join(', ')}`,
      )
      expect(await bounded(source({ table: 's' }))).toEqual(['2', '3', '4'])
      expect(await bounded(source({ table: 's', key: 'n' }))).toEqual(['2', '3', '4'])
      expect(await bounded(source({ query: 'SELECT trim(k) AS k, p FROM s' }))).toEqual(['2', '3', '4'])
      expect(await bounded(source({ query: 'SELECT n + 0 AS k, p FROM s' }))).toEqual(['2', '3', '4'])
    })
    it('refuses a query with a question mark that stands for a value', () => {
      const refused = () => source({ query: 'SELECT k, p FROM s WHERE n > ?' })
      expect(refused).toThrow(expect.objectContaining({ code: 'MAPPING_INVALID' }) as Error)
      expect(refused).toThrow(/\? outside of a text/)
    })
    if (dialect === 'postgres')
      it('takes the operators ?, ?| and ?& of jsonb, each ? written twice', async () => {
        await site.database.session.change('CREATE TABLE s (k bigint PRIMARY KEY, p jsonb)')
        await site.database.session.change(
          `INSERT INTO s (k, p) VALUES (1, '{"a": 1}'), (2, '{"b": 1}'), (3, '{"a": 1, "b": 2}')`,
        )
        for (const [condition, keys] of [
          ["p ?? 'a'", ['1', '3']],
          ["p ??| array['b', '?']", ['2', '3']],
          ["p ??& array['a', 'b']", ['3']],
        ] as const) {
          const one = source({ query: `SELECT k, p FROM s WHERE ${condition}` })
          expect(await keysOf(one)).toEqual(keys)
          expect(await one.read('3')).toContain('"b"')
        }
      })
    if (dialect !== 'postgres')
      it('has no operator that is written as two question marks', () => {
        expect(() => source({ query: "SELECT k, p FROM s WHERE p ?? 'a'" })).toThrow(/\? outside of a text/)
      })
  },
)
