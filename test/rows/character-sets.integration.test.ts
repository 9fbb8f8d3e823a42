import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ArchiverError } from '../../src/errors.ts'
import { startMariadb } from './mariadb.ts'
import { serverAnswers, Site } from './servers.ts'

const second = await startMariadb()
const isThere = second !== undefined && (await serverAnswers('mysql'))
if (!isThere) console.warn('SKIPPED: no second MariaDB: texts of old character sets are not moved there')

/** For each character set: characters without a place in Unicode, or with the place of another one, and a usual one. */
const SETS = {
  gbk: ['A140', 'B0A1'],
  sjis: ['5C', '82A0'],
  cp932: ['EEF9', '81CA'],
  ujis: ['8FA1A1', 'A4A2'],
  big5: ['A15A', 'A440'],
  cp1250: ['81', 'E1'],
  hebrew: ['A1', 'E0'],
  latin1: ['81', 'E9'],
  ascii: ['80', '61'],
} as const

describe.skipIf(!isThere).each(Object.entries(SETS))('texts of the character set %s', (charset, codes) => {
  let site: Site
  let other: Site
  beforeEach(async () => {
    site = await Site.make('mysql')
    other = await Site.make('mysql', second?.url)
    await site.sql(
      `CREATE TABLE r (id INT PRIMARY KEY, t VARCHAR(20) CHARACTER SET ${charset})`,
      "SET SESSION sql_mode = ''",
      ...codes.map((code, at) => `INSERT INTO r SELECT ${at + 1}, _${charset} X'${code}'`),
    )
    site.file('ids.csv', [1, 2])
  })
  afterEach(async () => {
    await site.drop()
    await other.drop()
  })

  const bytes = (of: Site, table: string, value = 't') =>
    of.rows(`SELECT id, HEX(${value}) AS t FROM ${table} ORDER BY id`)
  const whole = codes.map((code, at) => ({ id: String(at + 1), t: code }))
  const inBoth = [
    { where: 'in the same server', at: () => site },
    { where: 'on another server', at: () => other },
  ]
  const move = (archive: Site) => {
    const at = (url: string) => ({ url, password: undefined, timeout: 10_000 })
    return site.move(
      archive === site ? {} : { places: { source: at(site.url), archive: at(archive.url), log: undefined } },
    )
  }

  it.each(inBoth)('are archived byte for byte, $where', async ({ at }) => {
    await at().sql(`CREATE TABLE ra (id INT PRIMARY KEY, t VARCHAR(20) CHARACTER SET ${charset})`)
    expect(await bytes(site, 'r')).toEqual(whole)
    // No other server takes a byte that is no character, and then nothing is moved.
    const isTaken = charset !== 'ascii' || at() === site
    expect(await move(at())).toMatchObject({ status: isTaken ? 'COMPLETED' : 'FAILED' })
    expect(await bytes(at(), 'ra')).toEqual(isTaken ? whole : [])
    expect(await bytes(site, 'r')).toEqual(isTaken ? [] : whole)
  })

  it.each(inBoth)('stay live where an archive in utf8mb4 cannot give them back, $where', async ({ at }) => {
    await at().sql('CREATE TABLE ra (id INT PRIMARY KEY, t VARCHAR(20) CHARACTER SET utf8mb4)')
    const isRefused = await move(at()).then(
      () => false,
      (error: unknown) => (error as ArchiverError).code === 'ROWS_REFUSED',
    )
    expect(isRefused).toBe(!['latin1', 'ascii'].includes(charset))
    const left = await bytes(site, 'r')
    const kept = await bytes(at(), 'ra', `CONVERT(t USING ${charset})`)
    for (const row of whole) expect([...left, ...kept]).toContainEqual(row)
  })

  it.each(inBoth)('are in conflict with a twin of other bytes, $where', async ({ at }) => {
    await at().sql(
      `CREATE TABLE ra (id INT PRIMARY KEY, t VARCHAR(20) CHARACTER SET ${charset})`,
      "SET SESSION sql_mode = ''",
      `INSERT INTO ra SELECT 1, CONVERT(CONVERT(_${charset} X'${codes[0]}' USING utf8mb4) USING ${charset})`,
    )
    const [twin] = await bytes(at(), 'ra')
    await move(at())
    expect(await bytes(site, 'r')).toEqual(twin?.['t'] === codes[0] ? [] : [whole[0]])
  })
})

describe.skipIf(!(await serverAnswers('mysql')))('a key that has no place in UTF-8', () => {
  it('ends a walk along it with a word, and stays live', async () => {
    const site = await Site.make('mysql')
    try {
      for (const table of ['r', 'ra'])
        await site.sql(`CREATE TABLE ${table} (k VARCHAR(5) CHARACTER SET gbk COLLATE gbk_bin PRIMARY KEY)`)
      await site.sql("INSERT INTO r VALUES (_gbk X'B0A1'), (_gbk X'FEA0')", "INSERT INTO r VALUES ('a')")
      const outcome = await site.move({ where: '1 = 1', batchSize: 2 })
      expect(outcome).toMatchObject({ status: 'FAILED', counts: { moved: 2 } })
      expect(outcome.error?.message).toContain('has no place in UTF-8')
      expect(await site.count('r')).toBe(1)
    } finally {
      await site.drop()
    }
  }, 20_000)
})
