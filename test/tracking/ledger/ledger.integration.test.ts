import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Log } from '../../../src/common/log.ts'
import { bootTime, identity, now, startTicks } from '../../../src/platform/host.ts'
import { tables } from '../../../src/tracking/ledger/ledger-tables.ts'
import { openLedger, type Ledger, type LedgerOptions } from '../../../src/tracking/ledger/ledger.ts'
import type { Ending } from '../../../src/tracking/ledger/execution-row.ts'
import { pastExecutions } from '../../../src/tracking/ledger/history-queries.ts'
import { bundled } from '../../bundled.ts'
import { engines, freshPlace, type Place } from './engines.ts'
import { passEvents, series } from '../events.ts'

const FACTS = {
  task: 'incremental',
  subject: 'run_records',
  steps: 2,
  argv: ['config.yaml', '--incremental'],
  version: '1.0.0',
}

let place: Place
let lines: string[] = []
const say = (message: string): void => void lines.push(message)
const log: Log = { debug: say, info: say, warn: say, error: say }
const open = (more: Partial<LedgerOptions> = {}): Ledger =>
  openLedger({
    url: place.url,
    workDir: place.workDir,
    identity: identity(),
    bootTime: bootTime(),
    startTicksOf: startTicks,
    now,
    log,
    version: '1.0.0',
    ...more,
  })
beforeEach(() => {
  lines = []
})

/** Milliseconds: a pass waits two seconds for its ledger, and a loaded server needs longer. */
const PATIENTLY = 30_000

interface ProcessLog {
  status: string
  process_pid: number
  total_files: number
  processed_files: number
  error_message: string | null
}

const query = async <T>(text: string): Promise<T[]> => {
  const database = await place.open()
  try {
    return (await sql.raw<T>(text).execute(database.kysely)).rows
  } finally {
    await database.close()
  }
}
const processLogs = (): Promise<ProcessLog[]> =>
  query(
    'SELECT status, process_pid, total_files, processed_files, error_message FROM process_logs ORDER BY id',
  )

describe.each(await engines())('the ledger on %s', (dialect) => {
  beforeEach(async () => (place = await freshPlace(dialect)))
  afterEach(() => place.drop())

  it('has an execution with its steps, runs and batches', async () => {
    const ledger = open()
    ledger.begin(FACTS)
    for (const event of passEvents('import', series(1, 12), { failing: [7] })) ledger.listener(event)
    for (const event of passEvents('migrate', series(1, 11), { conflict: [3] })) ledger.listener(event)
    await ledger.end({ exitCode: 1 }, PATIENTLY)
    expect(await processLogs()).toMatchObject([
      {
        status: 'PARTIAL',
        process_pid: process.pid,
        total_files: 23,
        processed_files: 23,
        error_message: null,
      },
    ])
    const files = await query<{ file_name: string; status: string; records_processed: number }>(
      'SELECT * FROM file_processing_logs ORDER BY id',
    )
    expect(files).toHaveLength(23)
    expect(files.filter(({ status }) => status === 'FAILED').map(({ file_name }) => file_name)).toEqual([
      '7',
      '3',
    ])
    const summed = await query<Record<string, unknown>>(
      `SELECT f.stage, COUNT(*) AS runs, SUM(f.processed_batches) AS processed, SUM(b.rows_inserted) AS stored,
        SUM(b.already_archived) AS present, SUM(b.conflicts) AS conflicts
      FROM file_processing_logs f JOIN batch_processing_logs b
        ON b.process_log_id = f.process_log_id AND b.file_name = f.file_name AND b.stage = f.stage
      GROUP BY f.stage ORDER BY f.stage`,
    )
    const numbers = summed.map(({ stage, ...counts }) => [stage, ...Object.values(counts).map(Number)])
    expect(numbers).toEqual([
      ['import', 12, 11, 11, 0, 0],
      ['migrate', 11, 10, 10, 0, 1],
    ])
    const unknown = await query(
      `SELECT 1 FROM batch_processing_logs b LEFT JOIN file_processing_logs f
        ON f.process_log_id = b.process_log_id AND f.file_name = b.file_name WHERE f.id IS NULL`,
    )
    expect(unknown).toEqual([])
    const [status] = await query<Record<string, unknown>>('SELECT * FROM pipeline_status')
    expect(status).toMatchObject({
      execution_status: 'FINISHED',
      end_reason: 'partial',
      subtask_items_total: 11,
      subtask_percent_complete: 100,
      current_subtask: 2,
    })
    expect(existsSync(join(place.workDir, 'ledger-spool.jsonl'))).toBe(false)
    expect(readdirSync(join(place.workDir, 'ledger-running'))).toEqual([])
  })

  it('counts a run once in the history, however many stages it passed', async () => {
    const ledger = open()
    ledger.begin(FACTS)
    for (const event of passEvents('import', series(1, 12), { failing: [7] })) ledger.listener(event)
    for (const event of passEvents('migrate', [...series(1, 6), 20])) ledger.listener(event)
    await ledger.end({ exitCode: 1 }, PATIENTLY)
    const database = await place.open()
    const [past] = await pastExecutions(database, { since: undefined, states: undefined, limit: 1 })
    await database.close()
    expect(past).toMatchObject({ attempted: 19, runs: 13, runsTotal: 13, failed: 1 })
  })

  it('counts what an execution had stored when it was killed with kill -9, at the next pass', async () => {
    const child = await started()
    child.kill('SIGKILL')
    await child.gone
    const next = (): Ledger => {
      const ledger = open()
      ledger.begin(FACTS)
      return ledger
    }
    const held = async (isStored: (key: string) => boolean): Promise<unknown> => {
      const ledger = next()
      ledger.listener({ type: 'listed', stage: 'import', isStored, already: [] })
      for (const event of passEvents('import', [50])) ledger.listener(event)
      await ledger.end({ exitCode: 0 }, PATIENTLY)
      return (await processLogs())[0]
    }
    expect(await held(() => false)).toMatchObject({ status: 'TERMINATED', processed_files: 23 })
    expect(await query("SELECT 1 FROM file_processing_logs WHERE status = 'TERMINATED'")).toHaveLength(1)
    expect(await held(() => true)).toMatchObject({ status: 'TERMINATED', processed_files: 24 })
    expect(await query("SELECT 1 FROM file_processing_logs WHERE status = 'TERMINATED'")).toHaveLength(0)
    expect(await held(() => true)).toMatchObject({ processed_files: 24 })
  })

  it('does not hear of a pass that had nothing to do, but counts it', async () => {
    for (let pass = 0; pass < 3; pass++) {
      const ledger = open()
      ledger.begin(FACTS)
      for (const event of passEvents('import', [])) ledger.listener(event)
      await ledger.end({ exitCode: 0 }, PATIENTLY)
    }
    if (dialect === 'sqlite') expect(existsSync(join(place.workDir, 'ledger.db'))).toBe(false)
    const ledger = open()
    ledger.begin(FACTS)
    for (const event of passEvents('import', [1])) ledger.listener(event)
    await ledger.end({ exitCode: 0 }, PATIENTLY)
    expect(await processLogs()).toMatchObject([{ status: 'COMPLETED' }])
    const database = await place.open()
    expect(await tables(database).selectFrom('idle_passes').select('passes').execute()).toEqual([
      { passes: 3 },
    ])
    expect(
      await tables(database).selectFrom('daily_stats').select(['executions', 'ok', 'items']).execute(),
    ).toEqual([{ executions: 1, ok: 1, items: 1 }])
    await database.close()
  })

  it('hears of a pass that had nothing to do where the one before failed, and of no further one', async () => {
    const pass = async (ending: Ending): Promise<void> => {
      const ledger = open()
      ledger.begin(FACTS)
      for (const event of passEvents('import', [])) ledger.listener(event)
      await ledger.end(ending, PATIENTLY)
    }
    await pass({ exitCode: 1, error: new Error('the disk is not mounted') })
    for (let idle = 0; idle < 3; idle++) await pass({ exitCode: 0 })
    expect(await processLogs()).toMatchObject([{ status: 'FAILED' }, { status: 'COMPLETED' }])
  })

  it('counts a run that passed two stages once, in the statistics of its day too', async () => {
    const ledger = open()
    ledger.begin(FACTS)
    for (const stage of ['import', 'migrate'] as const)
      for (const event of passEvents(stage, [1, 2, 3])) ledger.listener(event)
    await ledger.end({ exitCode: 0 }, PATIENTLY)
    const database = await place.open()
    const days = await tables(database).selectFrom('daily_stats').select('items').execute()
    expect(days).toEqual([{ items: 3 }])
    await database.close()
  })

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('has %s before the process is gone', async (signal) => {
    const child = await started()
    child.kill(signal)
    await child.gone
    const reader = open()
    await reader.ready(5000)
    await reader.close()
    expect(await processLogs()).toMatchObject([
      { status: 'KILLED', error_message: `Process terminated by ${signal} signal (PID: ${child.pid})` },
    ])
    const left = await query("SELECT 1 FROM file_processing_logs WHERE status = 'KILLED'")
    expect(left).toHaveLength(1)
    expect(child.output()).toContain(`Process terminated by ${signal} signal (PID: ${child.pid})`)
  })

  it('finds out at the next start of anything that an execution was killed with kill -9', async () => {
    const child = await started()
    child.kill('SIGKILL')
    await child.gone
    expect((await processLogs())[0]?.status).toBe('RUNNING')
    const ledger = open()
    ledger.begin({ ...FACTS, task: 'report-status' })
    await ledger.end({ exitCode: 0 }, PATIENTLY)
    expect(lines.join('\n')).toContain(`Marked incomplete process ${child.pid} as TERMINATED`)
    expect((await processLogs())[0]).toMatchObject({ status: 'TERMINATED', processed_files: 23 })
    expect(await query("SELECT 1 FROM file_processing_logs WHERE status = 'TERMINATED'")).toHaveLength(1)
    expect(ledger.closed).toMatchObject([{ pid: child.pid, status: 'TERMINATED' }])
  })

  it('numbers executions one after the other, however often each was written', async () => {
    for (let i = 0; i < 3; i++) {
      const ledger = open()
      ledger.begin(FACTS)
      for (const event of passEvents('import', series(1, 5))) {
        ledger.listener(event)
        await ledger.flush(5000)
      }
      await ledger.end({ exitCode: 0 }, PATIENTLY)
    }
    const rows = await query<{ id: number }>('SELECT id FROM process_logs ORDER BY id')
    expect(rows.map(({ id }) => id)).toEqual([1, 2, 3])
  })

  it('leaves an execution alone that is alive', async () => {
    const child = await started()
    const ledger = open()
    ledger.begin(FACTS)
    for (const event of passEvents('import', [1])) ledger.listener(event)
    await ledger.end({ exitCode: 0 }, PATIENTLY)
    expect((await processLogs()).map(({ status }) => status)).toEqual(['RUNNING', 'COMPLETED'])
    child.kill('SIGKILL')
    await child.gone
  })

  it('calls it a reboot when the machine was booted since', async () => {
    const child = await started({ BOOT_ID: '11111111-2222-3333-4444-555555555555' })
    const ledger = open()
    ledger.begin(FACTS)
    await ledger.end({ exitCode: 0 }, PATIENTLY)
    expect((await processLogs())[0]).toMatchObject({ status: 'SYSTEM_REBOOT' })
    child.kill('SIGKILL')
    await child.gone
  })

  it('goes on with all other rows when one that waits is refused, and keeps that one', async () => {
    const bad = {
      run_id: '6f1f5a68-95a0-4c0f-b1a5-4a1a3cfe0001',
      stage: 'import',
      file_name: '7',
      state: null,
    }
    const waiting = `${JSON.stringify({ t: 'files', c: { ...bad, started_at: '2025-01-01 00:00:00.000' } })}\n`
    writeFileSync(join(place.workDir, 'ledger-spool.jsonl'), waiting)
    for (let pass = 0; pass < 2; pass++) {
      const ledger = open()
      ledger.begin(FACTS)
      for (const event of passEvents('import', [1])) ledger.listener(event)
      await ledger.end({ exitCode: 0 }, PATIENTLY)
      expect(ledger.failures).toBe(pass === 0 ? 1 : 0)
    }
    expect((await processLogs()).map(({ status }) => status)).toEqual(['COMPLETED', 'COMPLETED'])
    const left = readdirSync(place.workDir).filter((name) => name.startsWith('ledger-spool'))
    expect(left).toEqual(['ledger-spool.jsonl.refused'])
    expect(readFileSync(join(place.workDir, 'ledger-spool.jsonl.refused'), 'utf8')).toBe(waiting)
    expect(lines.filter((line) => line.includes('The ledger refuses a row of "files"'))).toHaveLength(1)
  })

  it('tells from which batch an interrupted pass goes on', async () => {
    const child = await started()
    child.kill('SIGKILL')
    await child.gone
    const ledger = open()
    ledger.begin(FACTS)
    for (const event of passEvents('import', series(24, 26))) ledger.listener(event)
    await ledger.end({ exitCode: 0 }, PATIENTLY)
    expect(lines.join('\n')).toContain('RESUMING: import from batch 6 (Runs processed: 23)')
  })
})

describe('a machine without the SQLite driver', () => {
  beforeEach(async () => (place = await freshPlace('sqlite')))
  afterEach(() => place.drop())

  it.each(['missing', 'unbuilt'])(
    'archives with the ledger off and says how to turn it on (%s)',
    async (mode) => {
      const child = await started({
        NODE_OPTIONS: '--import ./test/tracking/ledger/without-driver.mjs',
        MODE: mode,
      })
      expect(child.output()).toMatch(/ledger is off.*npm install libsql/)
      expect(child.output().match(/ledger is off/g)).toHaveLength(1)
      child.kill('SIGTERM')
      await child.gone
      expect(existsSync(join(place.workDir, 'ledger.db'))).toBe(false)
      expect(existsSync(join(place.workDir, 'ledger-spool.jsonl'))).toBe(false)
    },
  )
})

describe('a ledger file that is damaged', () => {
  beforeEach(async () => (place = await freshPlace('sqlite')))
  afterEach(() => place.drop())

  it.each([
    ['is no database', 'This is not a database. '.repeat(100)],
    ['is cut short in its first page', 'SQLite format 3\u0000'],
  ])('is kept aside when it %s, and a new one is begun', async (_name, text) => {
    writeFileSync(join(place.workDir, 'ledger.db'), text)
    const ledger = open()
    ledger.begin(FACTS)
    for (const event of passEvents('import', [1])) ledger.listener(event)
    await ledger.end({ exitCode: 0 }, PATIENTLY)
    expect(await processLogs()).toMatchObject([{ status: 'COMPLETED' }])
    expect(readFileSync(join(place.workDir, 'ledger.db.corrupt-1', 'ledger.db'), 'utf8')).toBe(text)
  })

  it('is kept aside when the damage is found later, in its rows, and nothing that is told after it is lost', async () => {
    const pass = async (): Promise<Ledger> => {
      const ledger = open()
      ledger.begin(FACTS)
      for (const event of passEvents('import', series(1, 50))) ledger.listener(event)
      await ledger.end({ exitCode: 0 }, PATIENTLY)
      return ledger
    }
    await pass()
    const [table] = await query<{ rootpage: number }>(
      "SELECT rootpage FROM sqlite_master WHERE name = 'executions'",
    )
    await query('PRAGMA wal_checkpoint(TRUNCATE)')
    const file = join(place.workDir, 'ledger.db')
    const bytes = readFileSync(file)
    bytes.fill(0xff, (table!.rootpage - 1) * 4096, table!.rootpage * 4096)
    writeFileSync(file, bytes)
    await pass()
    expect(lines.join('\n')).toContain(`is kept as ${file}.corrupt-1; a new one is begun`)
    await pass()
    expect((await processLogs()).map(({ status }) => status)).toEqual(['COMPLETED', 'COMPLETED'])
    expect(readFileSync(join(`${file}.corrupt-1`, 'ledger.db'))).toEqual(bytes)
  })
})

describe('a ledger that is down when a pass runs', () => {
  beforeEach(async () => (place = await freshPlace('sqlite')))
  afterEach(() => place.drop())

  it('costs the pass less than its time limit, and has everything after the next one', async () => {
    const lost = open({ url: 'postgres://nobody@127.0.0.1:1/none' })
    lost.begin(FACTS)
    for (const event of passEvents('import', series(1, 12), { failing: [4] })) lost.listener(event)
    const began = now()
    await lost.end({ exitCode: 1 }, 2000)
    expect(now() - began).toBeLessThan(4500)
    expect(lost.failures).toBeGreaterThan(0)
    expect(lost.spoolBytes).toBeGreaterThan(1000)
    const ledger = open()
    ledger.begin(FACTS)
    for (const event of passEvents('import', [13])) ledger.listener(event)
    await ledger.end({ exitCode: 0 }, PATIENTLY)
    expect((await processLogs()).map(({ status }) => status)).toEqual(['PARTIAL', 'COMPLETED'])
    expect(await query('SELECT 1 FROM file_processing_logs')).toHaveLength(13)
    expect(ledger.spoolBytes).toBe(0)
  })
})

describe.each(['postgres', 'mysql'])('a server of %s that is silent', (dialect) => {
  beforeEach(async () => (place = await freshPlace('sqlite')))
  afterEach(() => place.drop())

  it('is waited for at the end once, whatever is still to be asked and told', async () => {
    const sockets: Socket[] = []
    const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined)))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const ledger = open({ url: `${dialect}://nobody@127.0.0.1:${port}/none` })
    ledger.begin(FACTS)
    for (const event of passEvents('import', series(1, 12))) ledger.listener(event)
    const began = now()
    await ledger.end({ exitCode: 0 }, 1000)
    expect(now() - began).toBeLessThan(1700)
    expect(ledger.spoolBytes).toBeGreaterThan(1000)
    for (const socket of sockets) socket.destroy()
    server.close()
  })
})

describe('a process that is killed before the ledger has heard of it', () => {
  beforeEach(async () => (place = await freshPlace('sqlite')))
  afterEach(() => place.drop())

  it('is in the ledger after the next start, as TERMINATED', async () => {
    const child = await started({}, 'no-ledger-yet')
    child.kill('SIGKILL')
    await child.gone
    const ledger = open()
    ledger.begin({ ...FACTS, task: 'report-status' })
    await ledger.end({ exitCode: 0 }, PATIENTLY)
    expect((await processLogs())[0]).toMatchObject({ status: 'TERMINATED', process_pid: child.pid })
    expect(readdirSync(join(place.workDir, 'ledger-running'))).toEqual([])
  })
})

/** A process that has archived 23 runs in five batches and is busy with run 99. */
const started = async (env: Record<string, string> = {}, mode = 'normal') => {
  const source = 'test/tracking/ledger/ledger-process.ts'
  // In a bundle all drivers are loaded at once, so that none can be missing.
  const program = 'NODE_OPTIONS' in env ? ['--import', 'tsx', source] : [bundled(source)]
  const child = spawn(process.execPath, [...program, place.workDir, place.url, mode], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    child.once('close', () => reject(new Error(`ended early: ${output}`)))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (output.includes('READY')) resolve()
    })
  })
  return {
    pid: child.pid ?? 0,
    gone,
    output: () => output,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
  }
}
