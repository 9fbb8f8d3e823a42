import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serverAnswers, Site } from './servers.ts'

const isThere = { mysql: await serverAnswers('mysql'), postgres: await serverAnswers('postgres') }

describe.each(['mysql', 'postgres'] as const)('an id in a file, on %s,', (name) => {
  if (!isThere[name]) {
    it.skip('is not tested: no server answers')
    return
  }
  let site: Site
  beforeEach(async () => {
    site = await Site.make(name)
  })
  afterEach(async () => site.drop())
  const tables = async (columns: string): Promise<void> =>
    site.sql(`CREATE TABLE r (${columns})`, `CREATE TABLE ra (${columns})`)
  const write = (content: string | Buffer): void => writeFileSync(join(site.folder, 'ids.csv'), content)
  const live = async (column: string) =>
    (await site.rows(`SELECT ${column} AS v FROM r ORDER BY 1`)).map(({ v }) => v)

  if (name === 'postgres')
    it('of two columns names a text by its bytes, whatever its collation calls equal', async () => {
      await site.sql(
        "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
      )
      await tables('a int, b text COLLATE ci, PRIMARY KEY (a, b)')
      await site.sql("INSERT INTO r VALUES (1, 'abc'), (2, 'x')")
      write('a,b\n1,ABC\n2,x\n')
      expect(await site.move()).toMatchObject({ status: 'COMPLETED', counts: { moved: 1, notFound: 1 } })
      expect(await live('b')).toEqual(['abc'])
    })
  else
    it('of two digits names no year', async () => {
      await tables('y YEAR PRIMARY KEY')
      await site.sql('INSERT INTO r VALUES (0), (1999), (2001)')
      write('y\n99\n')
      expect(await site.move()).toMatchObject({ status: 'PARTIAL', failedFiles: 1 })
      expect(await live('y')).toEqual(['0000', '1999', '2001'])
      write('y\n0\n1999\n')
      expect(await site.move()).toMatchObject({ status: 'COMPLETED', counts: { moved: 2 } })
      expect(await live('y')).toEqual(['2001'])
    })

  it('of two columns names an empty text by "", and no row without quotes or where the field is missing', async () => {
    await tables('a INT, b VARCHAR(10), c VARCHAR(10), PRIMARY KEY (a, b)')
    await site.sql("INSERT INTO r VALUES (1, '', 'x'), (2, 'y', ''), (3, '', 'z')")
    for (const line of ['1,', '1', '1, ']) {
      write(`a,b\n2,y\n${line}\n`)
      const outcome = await site.move()
      expect(outcome).toMatchObject({ status: 'PARTIAL', failedFiles: 1, counts: { moved: 0 } })
    }
    const [file] = await site.rows('SELECT error_message AS e FROM file_processing_logs ORDER BY id DESC')
    expect(file?.['e']).toMatch(/line 3: b is empty \(an empty text is written ""\)/)
    write('c,a,b\n"","2",y\n,1,""\n"a ""q""",3 , "" \n')
    expect(await site.move()).toMatchObject({ status: 'COMPLETED', counts: { moved: 3 } })
    expect(await site.rows('SELECT a, b, c FROM ra ORDER BY a')).toEqual([
      { a: '1', b: '', c: 'x' },
      { a: '2', b: 'y', c: '' },
      { a: '3', b: '', c: 'z' },
    ])
    write('a,b\n"",y\n')
    expect(await site.move()).toMatchObject({ status: 'PARTIAL', failedFiles: 1 })
  })

  it.each([
    { what: 'a list', text: 'id\n x\u00a0\t\n' },
    { what: 'a list with quotes', text: 'id\n"none"\n x\u00a0\t\n' },
  ])('keeps a no-break space at its end, and loses spaces and tabs: $what', async ({ text: list }) => {
    const text = name === 'mysql' ? 'VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : 'varchar(40)'
    await tables(`id ${text} PRIMARY KEY`)
    await site.sql("INSERT INTO r VALUES ('x'), ('x\u00a0'), ('\u00a0x')")
    write(list)
    expect(await site.move()).toMatchObject({ status: 'COMPLETED', counts: { moved: 1 } })
    expect((await live('id')).toSorted()).toEqual(['x', '\u00a0x'])
  })

  it('that is a number may have blanks of any kind at its ends', async () => {
    await site.fill(3)
    write('id\n\u00a01\u00a0\n\t2 \n3\u2003,\n')
    expect(await site.move()).toMatchObject({ status: 'COMPLETED', counts: { moved: 3 } })
  })

  it('that is not UTF-8 is no id, and names no other row', async () => {
    const text = name === 'mysql' ? 'VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : 'varchar(40)'
    await tables(`id ${text} PRIMARY KEY`)
    await site.sql("INSERT INTO r VALUES ('Müller'), ('M\ufffdller')")
    write(Buffer.from('id\nMüller\n', 'latin1'))
    expect(await site.move()).toMatchObject({ status: 'PARTIAL', failedFiles: 1 })
    expect(await site.count('r')).toBe(2)
  })

  it('comes from a file alone: a pipe is refused at once', async () => {
    await site.fill(3)
    execFileSync('mkfifo', [join(site.folder, 'ids.csv')])
    expect(await site.move()).toMatchObject({ status: 'PARTIAL', failedFiles: 1 })
    expect(await site.rows('SELECT error_message AS e FROM file_processing_logs')).toEqual([
      { e: expect.stringMatching(/it is not a file, and ids are read twice/) as string },
    ])
  })

  it('is moved, however long the reason is for which its batch waited', async () => {
    await site.fill(3)
    write('1\n2\n3\n')
    const reason = `flag file /${'x'.repeat(600)}`
    const passed = { lag: 0, hll: 0, throttledMs: 5, reason, cause: 'flag_file', end: undefined }
    const gate = {
      ready: () => Promise.resolve(),
      pass: () => Promise.resolve(passed),
      rest: () => 0,
      lags: new Map(),
      close: () => Promise.resolve(),
    }
    expect(await site.move({ gate })).toMatchObject({ status: 'COMPLETED', counts: { moved: 3 } })
  })
})
