import { createServer, type AddressInfo, type Server } from 'node:net'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { now } from '../../../src/platform/host.ts'
import { carbonLines, sendCarbon } from '../../../src/tracking/metrics/carbon.ts'
import { PassMetrics } from '../../../src/tracking/metrics/pass-metrics.ts'
import { TaskMetrics } from '../../../src/tracking/metrics/task-metrics.ts'
import {
  textfile,
  Textfile,
  valuesOf,
  type TextfileFacts,
} from '../../../src/tracking/metrics/prometheus-textfile.ts'
import { passEvents, series } from '../events.ts'

let time = 0
const passed = (failing: readonly number[] = []): PassMetrics => {
  const metrics = new PassMetrics(() => time)
  for (const event of passEvents('migrate', series(1, 20), { failing })) metrics.listener(event)
  time += 2000
  return metrics
}
const facts = (metrics: PassMetrics, more: Partial<TextfileFacts> = {}): TextfileFacts => ({
  task: 'incremental',
  version: '1.0.0',
  commit: 'c0ffee',
  peakMemoryBytes: 200_000_000,
  openDescriptors: 24,
  startedAt: metrics.startedAt,
  endedAt: time,
  exitCode: 0,
  stages: metrics.stages,
  standings: [{ stage: 'migrate', lastContiguousRun: 12500, lastAttemptedRun: 12550, pending: 3, failed: 1 }],
  ledgerFailures: 0,
  spoolBytes: 0,
  ...more,
})
beforeEach(() => {
  time = Date.UTC(2025, 9, 3)
})

describe('metrics for Carbon', () => {
  let server: Server
  let connections: string[] = []
  beforeEach(async () => {
    connections = []
    server = createServer({ allowHalfOpen: true }, (socket) => {
      const at = connections.push('') - 1
      socket
        .setEncoding('utf8')
        .on('data', (text: string) => (connections[at] = `${connections[at] ?? ''}${text}`))
      socket.on('end', () => socket.end())
      socket.on('error', () => undefined)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => server.close())
  const options = () => ({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    prefix: 'sbnd.archiver',
    timeout: 1000,
  })

  it("come over one connection, with the original's names", async () => {
    const metrics = passed([7])
    metrics.duration('UconDBClient.get_existing_runs.duration_ms', 12.4)
    await sendCarbon(options(), metrics.samples())
    expect(connections).toHaveLength(1)
    const seconds = Math.floor(time / 1000)
    const lines = connections[0]?.trim().split('\n') ?? []
    expect(lines).toContain(`sbnd.archiver.migrate.runs_processed 20 ${seconds}`)
    expect(lines).toContain(`sbnd.archiver.migrate.runs_successful 19 ${seconds}`)
    expect(lines).toContain(`sbnd.archiver.migrate.runs_failed 1 ${seconds}`)
    expect(lines).toContain(`sbnd.archiver.migrate.last_successful_run 20 ${seconds}`)
    expect(lines).toContain(`sbnd.archiver.UconDBClient.get_existing_runs.duration_ms 12 ${seconds}`)
    expect(lines.find((line) => line.includes('upload_blob'))).toMatch(/duration_ms 4 \d+$/)
  })

  it('tell what a run of the migrate stage took apart, as the original did: the export, then the upload', () => {
    const metrics = passed()
    const processed = { result: 'stored' as const, bytes: 1, counts: {}, notes: [], times: { exported: 30 } }
    metrics.listener({ type: 'item-done', stage: 'migrate', key: '21', processed, milliseconds: 100 })
    const values = new Map(metrics.samples().map(({ name, value }) => [name, value]))
    expect(values.get('ArtdaqDBClient.export_run_configuration.duration_ms')).toBe(30)
    expect(values.get('UconDBClient.upload_blob.duration_ms')).toBe(70)
  })

  it('cannot be forged by a name', () => {
    // A dot at its end would make a level without a name.
    expect(carbonLines('daq.', [{ name: 'x', value: 1, at: 0 }])).toBe('daq.x 1 0\n')
    expect(carbonLines('a b\nc', [{ name: 'x 1 2\ny', value: 1, at: 0 }])).toBe('a_b_c.x_1_2_y 1 0\n')
  })

  it('give up on a server that is not there or does not answer', async () => {
    await expect(sendCarbon({ ...options(), port: 1 }, passed().samples())).rejects.toThrow('ECONNREFUSED')
    const silent = createServer({ pauseOnConnect: true, allowHalfOpen: true })
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const began = now()
    const at = (silent.address() as AddressInfo).port
    await expect(
      sendCarbon({ host: '127.0.0.1', port: at, prefix: 'p', timeout: 200 }, passed().samples()),
    ).rejects.toThrow('did not answer within 0.2 s')
    expect(now() - began).toBeLessThan(1500)
    silent.close()
  })
})

describe('metrics for Prometheus', () => {
  let folder = ''
  let file = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'textfile-'))
    file = join(folder, 'run_record_archiver.prom')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('are in the text format, each family with its help, type and a newline at the end', async () => {
    await new Textfile(file).write(facts(passed([7])))
    const text = readFileSync(file, 'utf8')
    expect(text.endsWith('\n')).toBe(true)
    const families = [...text.matchAll(/^# TYPE (\S+) (gauge|counter|histogram)$/gm)].map((match) => match[1])
    expect(new Set(families).size).toBe(families.length)
    for (const line of text.trim().split('\n'))
      expect(line).toMatch(
        /^(# (HELP|TYPE) .+|archiver_[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+)$/,
      )
    const values = valuesOf(text)
    expect(values.get('archiver_runs_total{stage="migrate",result="ok"}')).toBe(19)
    expect(values.get('archiver_last_contiguous_run{stage="migrate"}')).toBe(12500)
    expect(values.get('archiver_backlog_runs{stage="migrate"}')).toBe(3)
    expect(values.get('archiver_run_duration_seconds_bucket{stage="migrate",le="+Inf"}')).toBe(20)
    expect(statSync(file).mode & 0o777).toBe(0o644)
  })

  it('count on from pass to pass, and keep the time of the last success when a pass fails', async () => {
    await new Textfile(file).write(facts(passed()))
    const success = time / 1000
    time += 3_600_000
    await new Textfile(file).write(facts(passed([1, 2]), { exitCode: 1 }))
    const values = valuesOf(readFileSync(file, 'utf8'))
    expect(values.get('archiver_runs_total{stage="migrate",result="ok"}')).toBe(38)
    expect(values.get('archiver_runs_total{stage="migrate",result="failed"}')).toBe(2)
    expect(values.get('archiver_last_success_timestamp_seconds{task="incremental"}')).toBe(success)
    expect(values.get('archiver_stage_last_success_timestamp_seconds{stage="migrate"}')).toBe(success)
    expect(values.get('archiver_last_end_timestamp_seconds{task="incremental"}')).toBe(time / 1000)
    expect(values.get('archiver_last_exit_code{task="incremental"}')).toBe(1)
  })

  it('stay when a pass ends before its stages begin, and count on from there', async () => {
    await new Textfile(file).write(facts(passed([7])))
    const before = readFileSync(file, 'utf8')
    time += 60_000
    await new Textfile(file).write(facts(new PassMetrics(() => time), { exitCode: 1, standings: [] }))
    const text = readFileSync(file, 'utf8')
    const heads = (page: string) => page.split('\n').filter((line) => line.startsWith('#'))
    expect(heads(text)).toEqual(heads(before))
    for (const [series, value] of valuesOf(before))
      if (!/_(start|end)_timestamp|_exit_code|_last_duration/.test(series))
        expect([series, valuesOf(text).get(series)]).toEqual([series, value])
    await new Textfile(file).write(facts(passed()))
    expect(valuesOf(readFileSync(file, 'utf8')).get('archiver_runs_total{stage="migrate",result="ok"}')).toBe(
      39,
    )
  })

  it('of a task that writes several times count each item once, and add up with another at the same time', async () => {
    const task = (): [Textfile, TaskMetrics] => [new Textfile(file), new TaskMetrics()]
    const write = ([textfile, counted]: [Textfile, TaskMetrics], exitCode?: number) =>
      textfile.write(facts(new PassMetrics(() => time), { task: 'rows', stages: [], counted, exitCode }))
    const [one, other] = [task(), task()]
    const add = ([, counted]: [Textfile, TaskMetrics], more: number) =>
      counted.add('rows_total', { table: 't', outcome: 'moved' }, more)
    add(one, 10)
    await write(one)
    expect(readFileSync(file, 'utf8')).not.toContain('last_exit_code')
    add(one, 5)
    add(other, 100)
    one[1].set('replica_lag_seconds', { replica: 'r1' }, NaN)
    await write(other, 0)
    await write(one)
    await write(one, 0)
    const text = readFileSync(file, 'utf8')
    expect(text).toContain('archiver_rows_total{table="t",outcome="moved"} 115\n')
    expect(text).toContain('archiver_replica_lag_seconds{replica="r1"} NaN\n')
    expect(text).toContain('archiver_tracking_spool_bytes{task="rows"} 0\n')
    expect(text).toContain('archiver_last_exit_code{task="rows"} 0\n')
  })

  it('tell of no oldest pending run when none is pending any more', async () => {
    const standing = { stage: 'migrate', pending: 1, oldestPendingSeconds: 5000 } as const
    await new Textfile(file).write(facts(passed(), { standings: [standing] }))
    await new Textfile(file).write(facts(passed(), { standings: [{ stage: 'migrate', pending: 0 }] }))
    const values = valuesOf(readFileSync(file, 'utf8'))
    expect(values.get('archiver_oldest_pending_seconds{stage="migrate"}')).toBe(0)
  })

  it('say what the scrub knows, and keep it where a pass does not say', async () => {
    const proof = { compared: 7, notCompared: 2, damaged: 1, oldestAt: undefined }
    await new Textfile(file).write(facts(passed(), { proof }))
    await new Textfile(file).write(facts(passed()))
    const values = valuesOf(readFileSync(file, 'utf8'))
    expect(values.get('archiver_compared_runs')).toBe(7)
    expect(values.get('archiver_not_compared_runs')).toBe(2)
    expect(values.get('archiver_damaged_runs')).toBe(1)
    expect(values.has('archiver_oldest_comparison_timestamp_seconds')).toBe(false)
  })

  it('begin again when the file is damaged', async () => {
    writeFileSync(file, '\u0000garbage{ 12\narchiver_runs_total{stage="migrate",result="ok"} NaN\n')
    await new Textfile(file).write(facts(passed()))
    expect(valuesOf(readFileSync(file, 'utf8')).get('archiver_runs_total{stage="migrate",result="ok"}')).toBe(
      20,
    )
  })

  it('are never seen half by a reader', async () => {
    await new Textfile(file).write(facts(passed()))
    let reading = true
    const reader = (async () => {
      let reads = 0
      while (reading) {
        expect(
          readFileSync(file, 'utf8').endsWith('archiver_build_info{version="1.0.0",commit="c0ffee"} 1\n'),
        ).toBe(true)
        reads += 1
        await new Promise((resolve) => setImmediate(resolve))
      }
      return reads
    })()
    for (let i = 0; i < 30; i++) await new Textfile(file).write(facts(passed()))
    reading = false
    expect(await reader).toBeGreaterThan(30)
  })

  it('hold no label that breaks the line', () => {
    const text = textfile(facts(passed(), { task: 'a"b\\c\nd' }), new Map())
    expect(text).toContain('archiver_last_exit_code{task="a\\"b\\\\c\\nd"} 0\n')
  })
})
