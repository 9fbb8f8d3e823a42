import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { auditCommand } from '../../src/commands/records/audit.ts'
import { runCommand } from '../../src/commands/records/run.ts'
import { openMysql } from '../../src/sql/mysql.ts'
import { launchMariadb } from '../mariadb.ts'
import { answers, openSite, printing } from '../records/databases.ts'

/** Defaults that a server may have, each of which makes another value or another effect of a statement. */
const odd = await launchMariadb(
  '--sql-mode=NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH,EMPTY_STRING_IS_NULL',
  '--autocommit=0',
  '--completion-type=CHAIN',
  '--init-connect=SET sql_select_limit = 2, sql_auto_is_null = 1',
  '--default-time-zone=+05:30',
)
if (!odd) console.warn('SKIPPED: no MariaDB is installed: its odd defaults are not tried')
afterAll(() => odd?.stop())
// Other files of this process look in MYSQL_PORT for the server of all tests.
afterEach(() => vi.unstubAllEnvs())

const ODD = ["it's", 'a\\b', 'a"b', "a||'b", '', "\\'; DROP TABLE t; -- ", "\\', 'x"]

interface Tables {
  readonly t: { readonly id: number; readonly v: string }
}

/** Maps the attributes of a payload to the table `odd`. */
const map = ({ folder }: { readonly folder: string }, columns: string): void =>
  writeFileSync(
    join(folder, 'map.yaml'),
    `version: 1
source: { table: source_records, key: record_id, payload: payload }
record: { root: r, key: /r/@id, key_type: bigint }
tables:
  - table: odd
    key: [id]
    columns:
      id: { from: $key, type: bigint }${columns}`,
  )

describe.skipIf(odd === undefined)('on a MariaDB server with odd defaults', () => {
  it('the ledger keeps every character of a value, and commits', async () => {
    const open = () => openMysql<Tables>(odd?.url ?? '', undefined, { timeout: 10_000, connections: 1 })
    const one = open()
    await sql`CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(100) NOT NULL)`.execute(one.kysely)
    for (const [id, v] of ODD.entries()) await one.kysely.insertInto('t').values({ id, v }).execute()
    await one.close()
    const other = open()
    const kept = await other.kysely.selectFrom('t').select('v').orderBy('id').execute()
    await other.close()
    expect(kept.map(({ v }) => v)).toEqual(ODD)
  })

  it('records are stored as they are, and found so again', async () => {
    vi.stubEnv('MYSQL_PORT', String(odd?.port))
    const site = await openSite('mysql')
    try {
      await site.database.session.change(
        'CREATE TABLE odd (id BIGINT AUTO_INCREMENT PRIMARY KEY, c CHAR(30), v VARCHAR(60) NOT NULL)',
      )
      map(
        site,
        `
      c: { from: /r/@v, type: text, length: 30 }
      v: { from: /r/@v, type: text, length: 60 }
`,
      )
      const texts = ODD.filter((text) => text !== '' && !text.endsWith(' '))
      const escaped = (text: string): string => text.replaceAll('"', '&quot;')
      // The key 0 too, in a column with AUTO_INCREMENT.
      await site.fill(
        Object.fromEntries(texts.map((text, id) => [id, `<r id="${id}" v="${escaped(text)}"/>`])),
      )
      const { context, printed } = printing()
      const code = await runCommand({ task: 'orders', config: site.config }, context)
      expect({ code, text: printed() }).toEqual({
        code: 0,
        text: expect.stringContaining(', 0 failed') as string,
      })
      expect(await auditCommand({ task: 'orders', config: site.config }, context)).toBe(0)
      expect(printed()).toContain(`archived: ${texts.length}\n`)
      const { session } = site.database
      expect(
        (await session.rows('SELECT id, v, c FROM odd ORDER BY id')).map(({ id, v, c }) => [
          Number(id),
          v,
          c,
        ]),
      ).toEqual(texts.map((text, id) => [id, text, text]))
    } finally {
      await site.close()
    }
  })
})

describe.skipIf(!(await answers('postgres')))('in a database of PostgreSQL with odd defaults', () => {
  it('records are stored as they are, and found so again', async () => {
    const site = await openSite('postgres')
    try {
      const name = new URL(site.url).pathname.slice(1)
      for (const setting of [
        'extra_float_digits = -5',
        "bytea_output = 'escape'",
        'standard_conforming_strings = off',
        "datestyle = 'German'",
        "timezone = 'Asia/Kolkata'",
        "default_transaction_isolation = 'serializable'",
      ])
        await site.database.session.change(`ALTER DATABASE ${name} SET ${setting}`)
      await site.database.session.change(
        'CREATE TABLE odd (id bigint PRIMARY KEY, f double precision, at timestamptz, v text)',
      )
      map(
        site,
        `
      f: { from: /r/@f, type: float }
      at: { from: /r/@at, type: datetime }
      v: { from: /r/@v, type: text }
`,
      )
      await site.fill({ 1: `<r id="1" f="0.123456789012345" at="2026-03-29 01:30:00" v="a\\b'c"/>` })
      const run = async () => runCommand({ task: 'orders', config: site.config }, printing().context)
      expect(await run()).toBe(0)
      expect(await auditCommand({ task: 'orders', config: site.config }, printing().context)).toBe(0)
      // Taken again it is found to be there, and in no conflict.
      await site.database.session.change('DELETE FROM processing_log')
      expect(await run()).toBe(0)
      expect(await site.count(`SELECT count(*) FROM odd WHERE f = 0.123456789012345 AND v = 'a\\b''c'`)).toBe(
        1,
      )
    } finally {
      await site.close()
    }
  })
})
