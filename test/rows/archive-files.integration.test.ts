import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli.ts'
import { ArchiverError } from '../../src/errors.ts'
import { contextOf } from '../context.ts'
import { FilesSite } from './files-site.ts'
import { KINDS } from './random-tables.ts'
import { DIALECTS, type Ended, range, serverAnswers, Site, runArchiver } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: rows are not archived in files there`)

  describe.skipIf(!isThere)(`${name} rows that are archived in files`, () => {
    let site: Site
    let files: FilesSite
    beforeEach(async () => {
      site = await Site.make(name)
      files = new FilesSite(site)
    })
    afterEach(() => site.drop())

    const rows = (...words: readonly string[]): Promise<Ended> =>
      runArchiver(['rows', words[0]!, join(site.folder, 'config.yaml'), ...words.slice(1)])
    const batches = () =>
      site.rows(
        'SELECT archive_file AS f, rows_inserted AS n, rows_deleted AS d FROM batch_processing_logs ORDER BY id',
      )
    const refusal = (more: Parameters<Site['move']>[0]): Promise<unknown> =>
      site.move({ ...files.options(), ...more }).catch((error: unknown) => error)

    describe('with 300 rows', () => {
      beforeEach(async () => {
        await site.fill(300)
        site.file('ids.csv', range(1, 310))
      })

      it('stand in a file for each batch, whose name has its sum and is in the log', async () => {
        expect(await site.move(files.options())).toMatchObject({
          status: 'COMPLETED',
          counts: { requested: 310, moved: 300, inserted: 300, deleted: 300, notFound: 10 },
        })
        expect(await site.count('r')).toBe(0)
        expect(files.files('pending')).toEqual([])
        expect((await batches()).map(({ n, d }) => [n, d])).toEqual([
          ['100', '100'],
          ['100', '100'],
          ['100', '100'],
          ['0', '0'],
        ])
        const logged = (await batches()).flatMap(({ f }) => (f === null ? [] : [f]))
        const paths = files.files('placed').sort()
        expect(paths.map((path) => `${basename(dirname(path))}/${basename(path)}`)).toEqual(logged.sort())
        for (const path of paths) {
          const [sum = ''] = execFileSync('sha256sum', [path], { encoding: 'utf8' }).split(' ')
          expect(path).toContain(sum)
        }
        expect([...files.archived('placed')].length).toBe(300)
        expect(files.archived('placed').get('7')).toEqual(['row 7'])
        const about = JSON.parse(readFileSync(join(dirname(paths[0]!), 'columns.json'), 'utf8')) as {
          columns: { name: string }[]
        }
        expect(about.columns.map((column) => column.name)).toEqual(['id', 't', 'n', 'd'])
      })

      it.each(['jsonl', 'csv'] as const)(
        'come back from %s as they were, and a second time change nothing',
        async (format) => {
          await site.sql(
            'UPDATE r SET t = NULL, d = -0.1e-300 WHERE id = 3',
            "UPDATE r SET t = '' WHERE id = 4",
          )
          const before = await site.whole()
          files.config({ archive: { url: files.url, format } })
          expect((await rows('run')).code).toBe(0)
          expect(await site.count('r')).toBe(0)
          const restored = await rows('restore')
          expect(restored).toMatchObject({ code: 0, err: '' })
          expect(restored.out).toBe(
            '300 rows restored from 6 files, 0 were live already, 0 are live with other values\n' +
              '  their lists count as finished, so that they stay live; to move them again, run the list with an empty line more at its end\n',
          )
          expect(await site.rows('SELECT t FROM r WHERE id IN (3, 4) ORDER BY id')).toEqual([
            { t: null },
            { t: '' },
          ])
          expect((await rows('restore')).out).toContain('0 rows restored from 6 files, 300 were live already')
          expect(await site.whole()).toEqual(before)
        },
      )

      it('are left alone by a dry run, and stay live with --no-delete', async () => {
        files.config()
        expect((await rows('run', '--dry-run')).out).toContain('300 would be moved')
        expect(files.files()).toEqual([])
        expect((await rows('run', '--no-delete')).code).toBe(0)
        expect([await site.count('r'), files.archived('placed').size]).toEqual([300, 300])
        expect((await rows('run')).code).toBe(0)
        expect([await site.count('r'), files.files('placed').length]).toEqual([0, 12])
      })

      it('are chosen by a condition, too', async () => {
        files.config({ files: undefined, where: 'id % 3 = 0' })
        expect((await rows('run')).code).toBe(0)
        expect([await site.count('r'), files.archived('placed').size]).toEqual([200, 100])
      })

      it('stay live after a restore until their list is run with other content, and come back as they were last', async () => {
        files.config()
        expect((await rows('run')).code).toBe(0)
        expect((await rows('restore')).code).toBe(0)
        expect((await rows('run')).code).toBe(0)
        expect(await site.count('r')).toBe(300)
        await site.sql("UPDATE r SET t = 'later' WHERE id = 5")
        appendFileSync(join(site.folder, 'ids.csv'), '\n')
        expect((await rows('run')).code).toBe(0)
        expect([await site.count('r'), files.files('placed').length]).toEqual([0, 12])
        const { code, err, out } = await rows('restore')
        expect(out).toContain(
          '300 rows restored from 12 files, 299 were live already, 1 are live with other values',
        )
        expect(err).toMatch(/^1-\S+: the live row 5 has other values; it stays\n$/)
        expect(code).toBe(1)
        expect(await site.rows('SELECT t FROM r WHERE id = 5')).toEqual([{ t: 'later' }])
      })

      it('of a condition are moved again by the next run after a restore, which says so', async () => {
        files.config({ files: undefined, where: 'id % 3 = 0' })
        await rows('run')
        expect((await rows('restore')).out).toContain(
          '100 rows restored from 2 files, 0 were live already, 0 are live with other values\n  the next run moves those again for which rows.where holds',
        )
        await rows('run')
        expect(await site.count('r')).toBe(200)
      })

      it('are left by a restore where a live row has other values', async () => {
        files.config()
        await rows('run')
        await site.sql("INSERT INTO r (id, t) VALUES (5, 'new')")
        const { code, err, out } = await rows('restore')
        expect(code).toBe(1)
        expect(err).toContain('the live row 5 has other values; it stays')
        expect(out).toContain(
          '299 rows restored from 6 files, 0 were live already, 1 are live with other values',
        )
        expect(await site.rows('SELECT t FROM r WHERE id = 5')).toEqual([{ t: 'new' }])
      })

      it('are restored from the files that are named', async () => {
        files.config()
        await rows('run')
        const [one] = files.files('placed').sort()
        const json = JSON.parse((await rows('restore', '--json', '--archive-file', one!)).out) as unknown
        expect(json).toEqual({ files: 1, restored: 50, alreadyLive: 0, differing: [] })
        const wrong = await rows('restore', '--archive-file', '1-x/none.jsonl')
        expect(wrong.err).toContain('there is no file 1-x/none.jsonl')
      })

      it('are not called restored where their folder is gone, as a disk that is not mounted', async () => {
        files.config()
        await rows('run')
        renameSync(files.folder, `${files.folder}.elsewhere`)
        mkdirSync(files.folder, { mode: 0o700 })
        const restored = await rows('restore')
        expect(restored).toMatchObject({ code: 1, out: '' })
        expect(restored.err).toMatch(/ is not there: nothing was restored \[NOT_FOUND\]\n {2}mount the disk/)
        expect(await site.count('r')).toBe(0)
        rmSync(files.folder, { recursive: true })
        renameSync(`${files.folder}.elsewhere`, files.folder)
        expect((await rows('restore')).out).toContain('300 rows restored from 6 files')
      })

      it('are not called restored where a signal came first', async () => {
        files.config()
        await rows('run')
        let out = ''
        const context = contextOf({ out: (text) => (out += text), signal: AbortSignal.abort('SIGTERM') })
        expect(await runCli(['rows', 'restore', join(site.folder, 'config.yaml')], context)).toBe(143)
        expect(out).toContain('0 rows restored from 0 files')
      })

      it('are missed by rows verify where a file is gone, changed or shorter', async () => {
        files.config()
        await rows('run')
        const good = await rows('verify')
        expect(good).toMatchObject({
          code: 0,
          err: '',
          out: 'as they were written: 6 archive files with 300 rows\n',
        })
        const [gone, changed, shorter] = files.files('placed').sort()
        rmSync(gone!)
        chmodSync(changed!, 0o600)
        writeFileSync(changed!, readFileSync(changed!, 'utf8').replace('row ', 'raw '))
        // With a name of its own sum, but without its last row.
        const lines = readFileSync(shorter!, 'utf8').trimEnd().split('\n')
        const cut = `${lines.slice(0, -1).join('\n')}\n`
        chmodSync(shorter!, 0o600)
        writeFileSync(shorter!, cut)
        const bad = await rows('verify')
        expect(bad.code).toBe(1)
        expect(bad.err.trim().split('\n')).toHaveLength(3)
        for (const path of [gone, changed, shorter]) expect(bad.err).toContain(basename(path!))
        const json = JSON.parse((await rows('verify', '--json')).out) as { troubles: unknown[]; rows: number }
        expect([json.troubles.length, json.rows]).toEqual([3, 150])
        const restored = await rows('restore')
        expect(restored.code).toBe(1)
        expect(restored.err).toContain('does not have the sha256 that its name holds')
      })

      it('that are in a pending file which no batch names go with it only where they are live', async () => {
        files.config({ files: undefined, where: 'id <= 100' })
        await rows('run')
        // As a kill between the writing and the commit leaves it.
        const [placed] = files.files('placed').sort()
        const pending = join(dirname(dirname(placed!)), 'pending')
        const copyAs = (mark: string): void =>
          cpSync(placed!, join(pending, `99-${mark}~${basename(placed!)}`))
        copyAs('one')
        const told = await rows('run')
        expect(told.err).toContain('1 file in')
        expect((await rows('cleanup', '--older-than', '9')).out).toContain(
          'stays: not all of its rows are live',
        )
        expect(files.files('pending')).toHaveLength(1)
        expect((await rows('verify')).out).toContain('1 file pending without a batch')
        await rows('restore')
        expect((await rows('cleanup', '--older-than', '9')).out).toContain('1 pending file removed')
        expect(files.files('pending')).toEqual([])
      })

      it('stay live where the folder takes no file', async () => {
        files.config()
        const table = join(files.folder, `${site.schema}.r`)
        mkdirSync(table)
        writeFileSync(join(table, 'pending'), 'no folder')
        const { code, err } = await rows('run')
        expect(code).toBe(1)
        expect(err).toContain(join(table, 'pending'))
        expect(await site.rows('SELECT status FROM process_logs')).toEqual([{ status: 'FAILED' }])
        expect(await site.count('r')).toBe(300)
        rmSync(join(table, 'pending'))
        expect((await rows('run')).code).toBe(0)
        expect([await site.count('r'), files.archived('placed').size]).toEqual([0, 300])
      })

      it('are shown by rows plan as what happens to them', async () => {
        files.config()
        const { code, out } = await rows('plan')
        expect(code).toBe(0)
        expect(out).toContain(`r → ${files.url}, by id; 4 columns; each batch is a file`)
      })

      it('are refused with all reasons', async () => {
        await site.sql('CREATE TABLE c (id INT PRIMARY KEY, rid BIGINT REFERENCES r (id))')
        const options = files.options()
        expect(
          await refusal({
            archiveFiles: { ...options.archiveFiles!, folder: join(files.folder, 'none') },
            children: [{ table: 'c', key: ['rid'], archiveTable: undefined, children: [] }],
            places: {
              source: { url: site.url, password: undefined, timeout: 10_000 },
              archive: undefined,
              log: { url: site.url, password: undefined, timeout: 10_000 },
            },
          }),
        ).toMatchObject({
          code: 'ROWS_REFUSED',
          message: expect.stringMatching(
            /3 reasons:.*rows\.children.*rows\.log.*there is no folder/s,
          ) as string,
        })
      })

      it.each([
        { what: 'everybody may write there', spoil: (folder: string) => chmodSync(folder, 0o777) },
        ...(process.getuid?.() === 0
          ? [
              {
                what: 'it belongs to another user',
                spoil: (folder: string) => chownSync(folder, 12345, 12345),
              },
            ]
          : []),
        {
          what: 'it is a file',
          spoil: (folder: string) => {
            rmSync(folder, { recursive: true })
            appendFileSync(folder, '')
          },
        },
      ])('are refused where $what', async ({ spoil }) => {
        spoil(files.folder)
        const error = await refusal({})
        expect(error).toBeInstanceOf(ArchiverError)
        expect(error).toMatchObject({ code: 'ROWS_REFUSED', exitCode: 78 })
        expect(await site.count('r')).toBe(300)
      })

      it('are refused by a configuration that names a table as well', async () => {
        site.config({ archive: files.url })
        expect(await rows('run')).toMatchObject({
          code: 78,
          err: expect.stringContaining('rows.archive.url is a folder, and a table is named too') as string,
        })
      })
    })

    it.each(['jsonl', 'csv'] as const)('keep every value of every type in %s', async (format) => {
      // A file in UTF-8 is refused for some character sets.
      const kinds = KINDS[name].filter(({ type }) => !type.includes('gbk'))
      const columns = kinds.map(({ type }, at) =>
        `"c ${at}" ${type}`.replaceAll('"', name === 'mysql' ? '`' : '"'),
      )
      if (name === 'postgres')
        await site.sql(
          "CREATE TYPE random_enum AS ENUM ('x', 'X y', 'é')",
          "CREATE COLLATION random_ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        )
      await site.sql(`CREATE TABLE r (id INT PRIMARY KEY, ${columns.join(', ')})`)
      const most = Math.max(...kinds.map(({ values }) => values.length))
      for (let row = 0; row <= most; row++)
        await site.sql(
          `INSERT INTO r VALUES (${row}, ${kinds.map(({ values }) => values[row] ?? 'NULL').join(', ')})`,
        )
      site.file('ids.csv', range(0, most))
      await site.sql(`CREATE TABLE was AS SELECT * FROM r`)
      files.config({ archive: { url: files.url, format } })
      expect(await rows('run')).toMatchObject({ code: 0 })
      expect(await site.count('r')).toBe(0)
      expect(await rows('restore')).toMatchObject({ code: 0, err: '' })
      const texts = (table: string) =>
        site.rows(
          `SELECT id, ${kinds
            .map(({ text }, at) => {
              const column = name === 'mysql' ? `\`c ${at}\`` : `"c ${at}"`
              if (text) return `${text(column)} AS v${at}`
              return name === 'mysql' ? `HEX(${column}) AS v${at}` : `format('%s', ${column}) AS v${at}`
            })
            .join(', ')} FROM ${table} ORDER BY id`,
        )
      expect(await texts('r')).toEqual(await texts('was'))
    })

    if (name === 'mysql') {
      it('keep an ENUM that is invalid or looks like a number, and a SET', async () => {
        await site.sql(
          "CREATE TABLE r (id INT PRIMARY KEY, e ENUM('a', '', '#2', 'it''s', 'b,c', 'd\\\\e'), s SET('x', 'y\\\\z', '#1')) CHARACTER SET utf8mb4",
          "SET sql_mode = ''",
          "INSERT IGNORE INTO r VALUES (1, 'none', 'x,#1'), (2, '', ''), (3, '#2', 'y\\\\z'), (4, 'it''s', NULL), (5, 'b,c', 'x,y\\\\z,#1'), (6, NULL, '#1'), (7, 'd\\\\e', '')",
        )
        const texts = () =>
          site.rows(
            'SELECT id, CONCAT(e) AS e, CAST(e AS UNSIGNED) AS en, CONCAT(s) AS s, CAST(s AS UNSIGNED) AS sn FROM r ORDER BY id',
          )
        const before = await texts()
        site.file('ids.csv', range(1, 7))
        files.config()
        expect(await rows('run')).toMatchObject({ code: 0 })
        expect(await site.count('r')).toBe(0)
        expect(await rows('restore')).toMatchObject({ code: 0, err: '' })
        expect(await texts()).toEqual(before)
      })

      it.each(['gbk', 'sjis', 'cp1250'])(
        'are refused where a text has the character set %s',
        async (charset) => {
          await site.sql(`CREATE TABLE r (id INT PRIMARY KEY, t VARCHAR(20) CHARACTER SET ${charset})`)
          site.file('ids.csv', [1])
          expect(await refusal({})).toMatchObject({
            code: 'ROWS_REFUSED',
            message: expect.stringContaining(`r.t has the character set ${charset}`) as string,
          })
        },
      )

      it('stay live where a byte is no text, or a value is larger than the server can give', async () => {
        await site.sql(
          'CREATE TABLE r (id INT PRIMARY KEY, t VARCHAR(20) CHARACTER SET ascii)',
          "SET sql_mode = ''",
          "INSERT INTO r SELECT 1, _ascii X'80'",
          "INSERT INTO r VALUES (2, 'a')",
        )
        site.file('ids.csv', [1, 2])
        const outcome = await site.move(files.options())
        expect(outcome).toMatchObject({ status: 'FAILED' })
        expect(outcome.error?.message).toContain('does not keep the row 1 of')
        expect([await site.count('r'), files.files()]).toEqual([2, []])
      })
    }
  })
}
