import { describe, expect, it } from 'vitest'
import { redact } from '../../../src/common/redact.ts'
import type { Cell } from '../../../src/tracking/ledger/row.ts'
import { passEvents, series } from '../events.ts'
import { ExecutionRecord } from '../../../src/tracking/ledger/execution.ts'
import type { Usage } from '../../../src/tracking/ledger/process-usage.ts'

const IDENTITY = { pid: 1, host: 'h', user: 'u', bootId: 'b', startTicks: 1 }
const FACTS = { task: 'incremental', subject: 'run_records', steps: 1, argv: [], version: '1' }

const used = (cpuMs: number, livedMs: number): Usage => ({
  memoryMb: 1,
  peakMemoryMb: 1,
  cpuMs,
  livedMs,
  readBytes: 0,
  writeBytes: 0,
  openFiles: 7,
  threads: undefined,
})

const recorded = (now: () => number = () => 0, before?: Usage): ExecutionRecord =>
  new ExecutionRecord('d8a5ed18-11aa-4032-badf-913cb6e658d1', IDENTITY, FACTS, now, redact, before)

const cellsOf = (record: ExecutionRecord, table: string, column: string): (Cell | undefined)[] =>
  record
    .drain()
    .filter((row) => row.table === table)
    .map(({ cells }) => cells[column])

describe('an event', () => {
  it.each([
    ['a secret at the end of a text', 'refused: password: hunter22', 'refused: password: [secret]'],
    ['a NUL and half a character', 'said: \u0000\ud800', 'said: \\x00\\u{d800}'],
  ])('with %s is JSON that every server takes', (_name, text, shown) => {
    const record = recorded()
    record.event('stopped', { error: text, nested: [text], password: 'short', run: 7 })
    const [detail] = cellsOf(record, 'events', 'detail')
    expect(JSON.parse(String(detail))).toEqual({
      error: shown,
      nested: [shown],
      password: '[secret]',
      run: 7,
    })
    expect(detail).not.toMatch(/u0000|ud800/)
  })
})

describe('a stage of which nobody knows how much there is', () => {
  it.each([
    ['has no share that is done, and no end', true, [null, null, null]],
    ['has both where it is known (control)', false, [50, 100, 50]],
  ])('%s', (_name, endless, [percent, total, ofStep]) => {
    const record = recorded()
    const events = [...passEvents('import', series(1, 100), { endless, finish: false })]
    for (const event of events.slice(0, events.length / 2)) record.on(event)
    const rows = record.drain()
    const [cells] = rows.flatMap((row) => (row.table === 'executions' ? [row.cells] : []))
    expect(cells).toMatchObject({
      subtask_percent_complete: percent,
      subtask_items_total: total,
      items_total: endless ? 50 : 100,
    })
    expect(rows.flatMap(({ cells }) => ('percent' in cells ? [cells['percent']] : []))).toEqual([ofStep])
  })
})

describe('a pass that is stopped within a stage', () => {
  it.each([
    ['is as far as it came', 'signal' as const, 50],
    ['is done with it where nothing stopped it (control)', undefined, 100],
  ])('%s', (_name, stopped, share) => {
    const record = recorded()
    const events = [...passEvents('import', series(1, 100), { finish: false })]
    for (const event of events.slice(0, events.length / 2)) record.on(event)
    const summary = {
      succeeded: 50,
      failed: 0,
      pending: 50,
      bytes: 0,
      milliseconds: 1,
      stopped,
      error: undefined,
    }
    record.on({ type: 'pass-finished', stage: 'import', summary })
    record.end(stopped ? 'killed' : 'partial', { exitCode: stopped ? 143 : 1 })
    expect(cellsOf(record, 'executions', 'overall_percent_complete').at(-1)).toBe(share)
  })
})

describe('the share of a processor', () => {
  it('is that of the time between two heartbeats, although the clock is set back', () => {
    let time = 100_000
    const record = recorded(() => time)
    record.heartbeat(used(1000, 2000))
    time -= 60_000
    record.heartbeat(used(15_000, 17_000))
    expect(cellsOf(record, 'process_metrics', 'cpu_percent')).toEqual([50, 93.33])
  })
  it('is that of the execution, not of the daemon that has run for days', () => {
    const record = recorded(() => 0, used(3_600_000, 86_400_000))
    record.heartbeat(used(3_600_050, 86_400_100))
    expect(cellsOf(record, 'process_metrics', 'cpu_percent')).toEqual([50])
  })
  it('fits into its column, whatever the system says', () => {
    let time = 0
    const record = recorded(() => time++)
    record.heartbeat(used(1e12, 0))
    record.heartbeat(used(0, 1))
    expect(cellsOf(record, 'process_metrics', 'cpu_percent')).toEqual([999_999.99, 0])
  })
})

describe('a measurement', () => {
  it('has the files, threads and rows that are known, and null for what the system does not say', () => {
    const record = recorded()
    record.on({ type: 'pass-started', stage: 'a.csv', mode: 'move', total: 2, waiting: 0 })
    const processed = { result: 'stored', bytes: 0, counts: { documents: 2200 }, notes: [] } as const
    for (const key of ['batch 1', 'batch 2'])
      record.on({ type: 'item-done', stage: 'a.csv', key, processed, milliseconds: 1 })
    record.heartbeat(used(1, 1))
    const [row] = record.drain().filter(({ table }) => table === 'process_metrics')
    expect(row?.cells).toMatchObject({ open_files: 7, threads: null, rows_processed: 4400 })
  })
})

describe('a worker of a shared backlog', () => {
  it('has in its row what it counted, and is no news while nothing changes', () => {
    const record = recorded()
    record.drain()
    const tally = { instance: 'h-1-abc', claims: 4, fenced: 1, recovered: 2 }
    expect([record.counted(tally), record.counted({ ...tally })]).toEqual([true, false])
    const [row] = record.drain()
    expect(row).toMatchObject({
      table: 'executions',
      cells: { instance_id: 'h-1-abc', claims: 4, claims_fenced: 1, claims_recovered: 2 },
    })
    expect(record.drain()).toEqual([])
  })
})
