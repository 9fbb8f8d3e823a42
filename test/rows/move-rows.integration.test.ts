import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DIALECTS, range, serverAnswers, Site, runArchiver, startArchiver } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: rows are not tested there`)

  describe.skipIf(!isThere)(`rows of a ${name} table`, () => {
    let site: Site
    beforeEach(async () => {
      site = await Site.make(name)
    })
    afterEach(async () => site.drop())

    it('are moved, kept where they differ, and counted, each id once', async () => {
      await site.fill(440)
      await site.sql(
        'INSERT INTO ra SELECT * FROM r WHERE id <= 6',
        "UPDATE ra SET t = 'ROW 2' WHERE id = 2",
        "UPDATE ra SET t = 'row 3 ' WHERE id = 3",
        'UPDATE ra SET n = NULL WHERE id = 4',
        'UPDATE ra SET n = n + 0.01 WHERE id = 5',
        'DELETE FROM r WHERE id = 6',
      )
      const before = await site.rows('SELECT * FROM r ORDER BY id')
      site.file('ids.csv', ['id', ...range(1, 440), 9999, 7, 439, 439])
      expect(await site.move()).toMatchObject({
        status: 'PARTIAL',
        counts: {
          requested: 444,
          moved: 434,
          conflicts: 4,
          alreadyArchivedLive: 1,
          alreadyArchived: 2,
          notFound: 1,
          repeated: 2,
          appeared: 0,
        },
      })
      expect((await site.rows('SELECT id FROM r ORDER BY id')).map(({ id }) => id)).toEqual([
        '2',
        '3',
        '4',
        '5',
      ])
      const kept = new Map((await site.rows('SELECT * FROM ra')).map((row) => [row['id'], row]))
      for (const row of before) if (Number(row['id']) > 6) expect(kept.get(row['id'])).toEqual(row)
      expect(
        (await site.rows('SELECT row_key, differing_columns FROM row_conflicts ORDER BY id')).map((row) =>
          Object.values(row).join(' '),
        ),
      ).toEqual(['2 t', '3 t', '4 n', '5 n'])
    })

    it('lose nothing where one of a batch is archived in another version', async () => {
      await site.fill(2200)
      await site.sql(
        'INSERT INTO ra SELECT * FROM r WHERE id = 1100',
        "UPDATE ra SET t = 'older' WHERE id = 1100",
      )
      const before = await site.rows('SELECT * FROM r WHERE id = 1100')
      site.file('ids.csv', range(1, 2200))
      expect((await site.move({ batchSize: 2200 })).status).toBe('PARTIAL')
      expect(await site.count('ra')).toBe(2200)
      expect(await site.rows('SELECT * FROM r')).toEqual(before)
      expect(await site.rows('SELECT t FROM ra WHERE id = 1100')).toEqual([{ t: 'older' }])
      expect(await site.rows('SELECT status FROM batch_processing_logs')).toEqual([
        { status: 'COMPLETED_WITH_DUPLICATES' },
      ])
    })

    it('are conflicts until somebody settles them, also for a run that finds its files finished', async () => {
      await site.fill(100)
      await site.sql(
        'INSERT INTO ra SELECT * FROM r WHERE id = 50',
        "UPDATE ra SET t = 'older' WHERE id = 50",
      )
      site.file('ids.csv', range(1, 100))
      const config = site.config()
      expect((await site.run()).code).toBe(1)
      const [line = '', ...others] = readFileSync(join(site.folder, 'work', 'row_conflicts.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
      expect(others).toEqual([])
      expect(JSON.parse(line)).toMatchObject({
        file_name: 'ids.csv',
        batch_number: 1,
        row_key: '50',
        differing_columns: 't',
        src_row: { id: '50', t: 'row 50' },
        dst_row: { id: '50', t: 'older' },
      })
      const again = await site.run()
      expect(again.code).toBe(1)
      expect(again.out).toContain('1 conflict of earlier runs is open')
      const settled = await runArchiver(['rows', 'conflicts', '--keep', 'archive', '--config', config])
      expect({ code: settled.code, err: settled.err }).toEqual({ code: 0, err: '' })
      expect((await site.run()).code).toBe(0)
    })

    it('are moved by an INI file that has the same keys', async () => {
      await site.fill(20)
      const ids = site.file('ids.csv', range(1, 20))
      const path = join(site.folder, 'config.ini')
      const rows = `source=${site.url}\ntable=r\narchive_table=ra\nfiles=${ids}\nbatch_size=7`
      writeFileSync(path, `[app]\nwork_dir=${site.folder}/work\n[rows]\n${rows}\n`, { mode: 0o600 })
      const { code, out } = await runArchiver(['rows', 'run', path])
      expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('batch 3/3') as string })
      expect(out).toMatch(/^Process started with PID: [1-9]\d*\n/)
      expect([await site.count('r'), await site.count('ra')]).toEqual([0, 20])
    })

    it('stay where the archive refuses them for another unique key, and the others are moved', async () => {
      await site.fill(100)
      await site.sql('CREATE UNIQUE INDEX only_t ON ra (t)', "INSERT INTO ra VALUES (5000, 'row 50', 1, 1)")
      site.file('ids.csv', range(1, 100))
      expect((await site.move()).counts).toMatchObject({ moved: 99, conflicts: 1 })
      expect(await site.rows('SELECT id FROM r')).toEqual([{ id: '50' }])
      expect(await site.count('ra')).toBe(100)
    })

    it('are all where they were after --dry-run and --verify-only, and live after --no-delete', async () => {
      await site.fill(150)
      site.file('ids.csv', range(1, 150))
      site.config()
      const before = await site.whole()
      expect((await site.run('--dry-run')).out).toContain('150 would be moved')
      expect((await site.run('--verify-only')).out).toContain('150 live and not archived')
      expect(await site.whole()).toEqual(before)
      expect((await site.run('--no-delete')).code).toBe(0)
      expect([await site.count('r'), await site.count('ra')]).toEqual([150, 150])
      expect((await site.run('--verify-only')).out).toContain('150 live with an identical twin')
      expect((await site.run()).code).toBe(0)
      expect([await site.count('r'), await site.count('ra')]).toEqual([0, 150])
    })

    it('are resumed where the last run ended, also in other batches and under another name', async () => {
      await site.fill(1000)
      const path = site.file('a.csv', range(1, 1000))
      site.config()
      const first = await site.run('--limit-batches', '3')
      expect(first.out).toContain('ended early: --limit-batches')
      expect(await site.count('r')).toBe(700)
      site.file('b.csv', range(1, 1000))
      writeFileSync(path, '')
      const second = await site.run('--batch-size', '250')
      expect(second.out).toContain(
        'Resuming file b.csv from batch 4\nRecords already processed: 300\nSkipping already processed batch 1',
      )
      expect(second.out).toContain('IDs: 301 to 550 (250 records)')
      expect(await site.count('ra')).toBe(1000)
      expect((await site.run()).out).toContain('Skipping file b.csv')
      writeFileSync(join(site.folder, 'b.csv'), `${range(1, 1001).join('\n')}\n`)
      await site.insert(1001, 1001)
      expect((await site.run()).code).toBe(0)
      expect(await site.count('r')).toBe(0)
    })

    it('are not touched by a file with a line that is no key, and the other files go on', async () => {
      await site.fill(20)
      site.file('a.csv', [1, 2, '3x', 4])
      site.file('b.csv', [5, 6])
      site.config()
      const { code, out } = await site.run()
      expect(code).toBe(1)
      expect(out).toMatch(/a\.csv: line 3: "3x" is no bigint/)
      expect(await site.count('r')).toBe(18)
      expect(await site.rows('SELECT file_name, status FROM file_processing_logs ORDER BY id')).toEqual([
        { file_name: 'a.csv', status: 'FAILED' },
        { file_name: 'b.csv', status: 'COMPLETED' },
      ])
    })

    it('are moved by one process at a time', async () => {
      await site.fill(3000)
      site.file('ids.csv', range(1, 3000))
      const config = site.config({ sleep: '200ms' })
      const first = startArchiver(['rows', 'run', config])
      await until(
        async () =>
          (await site.count(
            'information_schema.tables',
            `table_name = 'batch_processing_logs' AND table_schema = '${site.schema}'`,
          )) > 0 && (await site.count('batch_processing_logs')) > 0,
      )
      const second = await site.run()
      expect(second.code).toBe(1)
      expect(second.err).toMatch(new RegExp(`process ${first.child.pid} on \\S+, since .* \\[LOCK_HELD\\]`))
      first.child.kill('SIGTERM')
      const { code, out } = await first.ended
      expect(code).toBe(143)
      expect(out).toContain('Graceful shutdown initiated...')
      expect(await site.rows('SELECT status, error_message FROM process_logs')).toEqual([
        { status: 'KILLED', error_message: `Process terminated by SIGTERM signal (PID: ${first.child.pid})` },
      ])
    })

    it('are finished after kill -9, which the next start names TERMINATED', async () => {
      await site.fill(2000)
      const before = await site.whole()
      site.file('ids.csv', range(1, 2000))
      const config = site.config({ sleep: '100ms' })
      const { child, ended } = startArchiver(['rows', 'run', config])
      await until(async () => (await site.count('ra').catch(() => 0)) > 0)
      child.kill('SIGKILL')
      await ended
      const { code, out } = await site.run('--sleep', '0')
      expect(code).toBe(0)
      expect(out).toContain(`Marked incomplete process ${child.pid} as TERMINATED`)
      expect(await site.whole()).toEqual({ ...before, both: 0 })
      expect(await site.count('r')).toBe(0)
      expect(await site.rows('SELECT status FROM process_logs ORDER BY id')).toEqual([
        { status: 'TERMINATED' },
        { status: 'COMPLETED' },
      ])
    })

    it('leave the lines that people grep for in the text log', async () => {
      await site.fill(150)
      site.file('data.csv', range(1, 150))
      site.config()
      await site.run()
      const folder = join(site.folder, 'work')
      const [file = ''] = readdirSync(folder).filter((entry) => entry.startsWith('DataProcessingAllDetails_'))
      expect(file).toMatch(/^DataProcessingAllDetails_\d\d_\d\d_\d{4}\.txt$/)
      const text = readFileSync(join(folder, file), 'utf8')
      const pid = /\(PID: (\d+)\) ===/.exec(text)?.[1]
      const plain = text
        .replace(/\d\d_\d\d_\d{4}_\d\d_\d\d_\d\d/, 'START')
        .replace(/\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]/g, '[TIME]')
        .replaceAll(String(pid), 'N')
      expect(plain).toBe(
        [
          '=== Script Starts at: START (PID: N) ===',
          'STARTING: data.csv (Size: 492 bytes)',
          '[TIME] FILE: data.csv | BATCH: 1 | STATUS: PROCESSING | PID: N',
          'Processing batch 1/2 - IDs: 1 to 100 (100 records)',
          '[TIME] FILE: data.csv | BATCH: 1 | STATUS: COMPLETED | PID: N',
          '[TIME] FILE: data.csv | BATCH: 2 | STATUS: PROCESSING | PID: N',
          'Processing batch 2/2 - IDs: 101 to 150 (50 records)',
          '[TIME] FILE: data.csv | BATCH: 2 | STATUS: COMPLETED | PID: N',
          '',
        ].join('\n'),
      )
    })
  })
}

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 400; tries++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('it never came to that')
}
