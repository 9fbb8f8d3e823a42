import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bootTime, identity, now, startTicks } from '../../../src/platform/host.ts'
import { plainLog } from '../../../src/platform/log/logger.ts'
import { openLedger } from '../../../src/tracking/ledger/ledger.ts'
import { passEvents, series } from '../events.ts'
import { engines, freshPlace, type Place } from './engines.ts'

/** Milliseconds: a pass waits two seconds for its ledger, and a loaded server needs longer. */
const PATIENTLY = 30_000

const SEEDS = resolve('../shared/seeds')
const there = existsSync(SEEDS)
if (!there) console.warn(`SKIPPED: the seeds are not at ${SEEDS}, so their queries are not tried`)

/** The SELECTs of a seed's SQL blocks; `<process_id>` becomes an id. */
const selects = (seed: string): string[] => {
  if (!there) return []
  const name = readdirSync(SEEDS).find((file) => file.startsWith(seed)) ?? ''
  const text = readFileSync(resolve(SEEDS, name), 'utf8')
  return [...text.matchAll(/```sql\n([^]*?)```/g)]
    .flatMap(([, block = '']) => block.split(/;\s*(?:\n|$)/))
    .map((statement) => statement.replace(/^\s*--.*$/gm, '').trim())
    .filter((statement) => /^select/i.test(statement))
    .map((statement) => statement.replaceAll('<process_id>', '1').replaceAll('your_file.csv', '12'))
}

/** A ledger with an execution that was killed in its third batch, one that has failed runs, and one that runs. */
const fill = async (place: Place): Promise<void> => {
  for (const [end, failing] of [
    ['killed', []],
    ['partly', [7]],
    ['running', []],
  ] as const) {
    const ledger = openLedger({
      url: place.url,
      workDir: place.workDir,
      identity: identity(),
      bootTime: bootTime(),
      startTicksOf: startTicks,
      now,
      log: plainLog({ level: 'error', format: 'human', out: () => undefined, journald: false, now }),
      version: 'test',
    })
    ledger.begin({ task: 'incremental', subject: 'run_records', steps: 1, argv: [], version: 'test' })
    for (const event of passEvents('import', series(1, 12), { failing, finish: end === 'partly' }))
      ledger.listener(event)
    ledger.listener({ type: 'item-started', stage: 'import', key: '13', attempt: 1, attempts: 1 })
    if (end === 'killed') ledger.killed('SIGTERM')
    if (end === 'running') {
      await ledger.flush(5000)
      await ledger.close()
    } else await ledger.end({ exitCode: 1 }, PATIENTLY)
  }
}

const available = there ? await engines() : []

describe.skipIf(!available.includes('mysql'))("the queries of seeds 000 and 001 on MySQL's side", () => {
  let place: Place
  let results: { query: string; rows: Record<string, unknown>[] }[]
  beforeAll(async () => {
    place = await freshPlace('mysql')
    await fill(place)
    const connection = await createConnection(place.url)
    results = []
    for (const query of [...selects('000_'), ...selects('001_')]) {
      const [rows] = await connection.query(query)
      results.push({ query, rows: rows as Record<string, unknown>[] })
    }
    await connection.end()
  })
  afterAll(() => place.drop())
  const result = (pattern: RegExp): Record<string, unknown>[] => {
    const found = results.find(({ query }) => pattern.test(query))
    if (!found) throw new Error(`no query like ${String(pattern)}`)
    return found.rows
  }

  it('all run', () => expect(results).toHaveLength(11))

  it('say what runs', () =>
    expect(result(/current_batch[^]*WHERE status = 'RUNNING'/)).toMatchObject([
      {
        status: 'RUNNING',
        table_name: 'run_records',
        current_file: '13',
        current_batch: 4,
        processed_files: 12,
        total_files: 12,
      },
    ]))

  it('say what ended badly in the last 24 hours', () =>
    expect(result(/INTERVAL 24 HOUR/)).toMatchObject([
      { status: 'KILLED', error_message: `Process terminated by SIGTERM signal (PID: ${process.pid})` },
    ]))

  it('say how far each run is', () => {
    const rows = result(/batch_percentage/)
    expect(rows).toHaveLength(13)
    expect(rows[0]).toMatchObject({ file_name: '1', batch_percentage: '100.00', current_status: 'Finished' })
    expect(rows.at(-1)).toMatchObject({ file_name: '13', current_status: 'Stopped at batch 0' })
  })

  it('count what was killed each day', () =>
    expect(result(/killed_count/)).toMatchObject([
      { total_runs: 3, killed_count: '1', reboot_count: '0', terminated_count: '0' },
    ]))

  it('find the last batch', () => expect(result(/MAX\(batch_number\)/)).toEqual([{ last_batch: 1 }]))

  it('join a running execution with the run in its hands', () =>
    expect(result(/LEFT JOIN file_processing_logs/)).toMatchObject([
      { status: 'RUNNING', processed_batches: 0, total_batches: 1 },
    ]))

  it('show an execution whole, with every column of the seed and no other', () => {
    const [row] = result(/SELECT \* FROM process_logs/)
    const name = readdirSync(SEEDS).find((file) => file.startsWith('000_')) ?? ''
    const text = readFileSync(resolve(SEEDS, name), 'utf8')
    const ddl = /CREATE TABLE process_logs \(([^]*?)\n\);/.exec(text)?.[1] ?? ''
    const columns = [...ddl.matchAll(/^ {4}(\w+) (?:INT|VARCHAR|DATETIME|ENUM|TEXT|TIMESTAMP|BIGINT)/gm)]
    expect(Object.keys(row ?? {})).toEqual(columns.map((match) => match[1]))
  })
})

describe.skipIf(!available.includes('postgres'))("the queries of seed 004 on PostgreSQL's side", () => {
  let place: Place
  let client: pg.Client
  beforeAll(async () => {
    place = await freshPlace('postgres')
    await fill(place)
    client = new pg.Client(place.url)
    await client.connect()
  })
  afterAll(async () => {
    await client.end()
    await place.drop()
  })

  it('all run, and say what there is', async () => {
    const [current, long, history, ...more] = selects('004_')
    expect(more).toEqual([])
    const now = await client.query<Record<string, unknown>>(current ?? '')
    expect(now.rows).toMatchObject([
      { script_name: 'incremental', execution_status: 'RUNNING', current_task: 1, total_tasks: 1 },
    ])
    expect((await client.query(long ?? '')).rows).toEqual([])
    await client.query(
      "UPDATE pipeline_status SET execution_start = now() - INTERVAL '1 hour' WHERE execution_status = 'RUNNING'",
    )
    const { rows } = await client.query<{ runtime_minutes: string }>(long ?? '')
    expect(Number(rows[0]?.runtime_minutes)).toBeCloseTo(60, 0)
    const days = await client.query<Record<string, unknown>>(history ?? '')
    expect(days.rows).toMatchObject([{ script_name: 'incremental', runs: '2', failures: '0' }])
  })

  it("take the seed's own INSERT and UPDATEs, and a program that writes them is seen by ours", async () => {
    const text = readFileSync(
      resolve(SEEDS, readdirSync(SEEDS).find((file) => file.startsWith('004_')) ?? ''),
      'utf8',
    )
    const insert = /INSERT INTO tasker\.executions \([^]*?\) VALUES \([^]*?\n *\)/.exec(text)?.[0] ?? ''
    const id = '6f1f5a68-95a0-4c0f-b1a5-4a1a3cfe0001'
    const when = new Date()
    await client.query(insert, [
      id,
      'DAILY_01_BDC_Locations.R',
      'DAILY',
      'R',
      'elsewhere',
      4711,
      'pipeline',
      when,
      'STARTED',
      112,
      0,
      null,
      '{"R_LIBS":"/usr/lib/R"}',
    ])
    const update =
      /UPDATE pipeline_status\s+SET\s+execution_status = \$1[^]*?WHERE run_id = \$5/.exec(text)?.[0] ?? ''
    await client.query(
      'UPDATE pipeline_status SET last_update = $1, execution_status = $2, current_subtask = $3, subtask_items_total = $4, subtask_items_complete = $5 WHERE run_id = $6',
      [when, 'RUNNING', 23, 56, 12, id],
    )
    await client.query(
      'UPDATE pipeline_status SET task_items_complete = $1, current_task = $2 WHERE run_id = $3',
      [13, 24, id],
    )
    const running = await client.query<Record<string, unknown>>(
      'SELECT * FROM process_logs WHERE process_pid = 4711',
    )
    expect(running.rows).toMatchObject([{ status: 'RUNNING', process_type: 'DAILY_01_BDC_Locations.R' }])
    await client.query(update, ['FAILED', when, 'no such file', 'detail', id])
    const failed = await client.query<Record<string, unknown>>(
      'SELECT * FROM process_logs WHERE process_pid = 4711',
    )
    expect(failed.rows).toMatchObject([{ status: 'FAILED', error_message: 'no such file' }])
  })
})
