import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSession } from '../../src/sql/open-session.ts'
import { range, serverAnswers, Site, runArchiver, startArchiver } from './servers.ts'

const isThere = await serverAnswers('postgres')
if (!isThere) console.warn('SKIPPED: no PostgreSQL answers: the ledger is not asked for executions of rows')

describe.skipIf(!isThere)('an execution of rows in the ledger', () => {
  let site: Site
  let ledger: Site
  beforeEach(async () => {
    site = await Site.make('postgres')
    ledger = await Site.make('postgres')
    await site.fill(250)
  })
  afterEach(async () => {
    await site.drop()
    await ledger.drop()
  })
  const textfile = () => join(site.folder, 'archiver.prom')
  const run = (...words: string[]) => {
    const path = site.config()
    const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
    writeFileSync(
      path,
      JSON.stringify({ ...config, ledger: { url: ledger.url }, metrics: { textfile: textfile() } }),
    )
    return runArchiver(['rows', 'run', path, ...words])
  }
  const read = async (sql: string) => {
    const session = await openSession({ url: ledger.url, password: undefined, timeout: 10_000 })
    const { rows } = await session.run(sql)
    await session.close()
    return rows
  }

  it('has metrics in a text file of its own', async () => {
    site.file('a.csv', range(1, 100))
    expect((await run()).code).toBe(0)
    const text = readFileSync(textfile().replace('.prom', '_rows.prom'), 'utf8')
    expect(text).toMatch(/^archiver_last_exit_code.* 0$/m)
    expect(text).toContain('archiver_rows_total{table="r",outcome="moved"} 100\n')
    expect(text).toContain('archiver_row_conflicts{table="r"} 0\n')
    // A file's name is no label: there would be one more series with each file, for ever.
    expect(text).not.toContain('a.csv')
    // Of a series that the archiver's own file has too node_exporter drops one.
    for (const line of text.split('\n'))
      if (line !== '' && !line.startsWith('#')) expect(line).toMatch(/(task|table|replica)="/)
    site.file('b.csv', range(101, 150))
    await site.sql('INSERT INTO ra SELECT * FROM r WHERE id = 120', 'UPDATE ra SET n = -1 WHERE id = 120')
    expect((await run()).code).toBe(1)
    const later = readFileSync(textfile().replace('.prom', '_rows.prom'), 'utf8')
    expect(later).toContain('archiver_rows_total{table="r",outcome="moved"} 149\n')
    expect(later).toContain('archiver_rows_total{table="r",outcome="conflict"} 1\n')
    expect(later).toContain('archiver_row_conflicts{table="r"} 1\n')
    expect(existsSync(textfile())).toBe(false)
  })

  it('has its files as steps, its batches, and its rows; conflicts make it PARTIAL', async () => {
    await site.sql('INSERT INTO ra SELECT * FROM r WHERE id = 150', 'UPDATE ra SET n = -1 WHERE id = 150')
    site.file('a.csv', range(1, 100))
    site.file('b.csv', range(101, 250))
    const { code, err } = await run()
    expect({ code, err }).toEqual({ code: 1, err: '' })
    expect(
      await read(
        'SELECT task_name, subject, end_reason, exit_code, items_total, items_attempted, items_failed, documents FROM tasker.executions',
      ),
    ).toEqual([
      {
        task_name: 'rows',
        subject: 'r',
        end_reason: 'partial',
        exit_code: '1',
        items_total: '3',
        items_attempted: '3',
        items_failed: '0',
        documents: '249',
      },
    ])
    expect(
      await read('SELECT stage, batch_number, state FROM tasker.batches ORDER BY stage, batch_number'),
    ).toEqual([
      { stage: 'a.csv', batch_number: '1', state: 'done' },
      { stage: 'b.csv', batch_number: '1', state: 'partial' },
      { stage: 'b.csv', batch_number: '2', state: 'done' },
    ])
    const history = await runArchiver(['history', '--json', '--config', `${site.folder}/config.yaml`])
    expect(JSON.parse(history.out)).toMatchObject({ executions: [{ task: 'rows' }] })
  })

  it('says that it is held back and why, while it waits, and goes on from there', async () => {
    const flag = join(site.folder, 'stop-here')
    writeFileSync(flag, '')
    site.file('a.csv', range(1, 200))
    const config = JSON.parse(readFileSync(site.config(), 'utf8')) as { rows: object }
    const path = join(site.folder, 'held.yaml')
    const rows = { ...config.rows, throttle: { flag_file: flag, check_interval: '200ms' } }
    writeFileSync(path, JSON.stringify({ ...config, rows, ledger: { url: ledger.url } }), { mode: 0o600 })
    const moving = startArchiver(['rows', 'run', path])
    const states = () => read('SELECT sub_state, overall_progress_message FROM tasker.executions')
    const held = { sub_state: 'THROTTLED', overall_progress_message: `Held back: flag file ${flag}` }
    await expect.poll(() => states().catch(() => []), { timeout: 20_000 }).toEqual([held])
    const status = await runArchiver(['rows', 'status', path])
    expect(status.out).toContain(`held back: flag file ${flag}`)
    rmSync(flag)
    expect(await moving.ended).toMatchObject({ code: 0, err: '' })
    expect(await states()).toMatchObject([{ sub_state: null }])
  }, 60_000)

  it('is FAILED where the tables do not fit, and is not there after a dry run', async () => {
    site.file('a.csv', [1])
    await run('--dry-run')
    await site.sql('ALTER TABLE ra DROP COLUMN d')
    expect((await run()).code).toBe(78)
    const executions = await read('SELECT end_reason, error_message FROM tasker.executions')
    expect(executions).toEqual([
      { end_reason: 'error', error_message: expect.stringMatching(/no column d/) as string },
    ])
  })
})
