import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli.ts'
import { history, historyPrune, historyShow, historyStats } from '../../src/commands/history.ts'
import { bootTime, identity, now, startTicks } from '../../src/platform/host.ts'
import { plainLog } from '../../src/platform/log/logger.ts'
import { openLedger } from '../../src/tracking/ledger/ledger.ts'
import { contextOf } from '../context.ts'
import { freshPlace, type Place } from '../tracking/ledger/engines.ts'
import { passEvents, series } from '../tracking/events.ts'

let place: Place
let config = ''
let output = ''
let errors = ''
const context = contextOf({
  out: (text) => (output += text),
  err: (text) => (errors += text),
  version: '1.0.0',
})

const executed = async (
  end: 'good' | 'bad' | 'killed' | 'dead',
  clock: () => number = now,
): Promise<void> => {
  const ledger = openLedger({
    url: 'sqlite:ledger.db',
    workDir: place.workDir,
    // A pid that nobody can have.
    identity: end === 'dead' ? { ...identity(), pid: 4_999_999, startTicks: 1 } : identity(),
    bootTime: bootTime(),
    startTicksOf: startTicks,
    now: clock,
    log: plainLog({ level: 'error', format: 'human', out: () => undefined, journald: false, now }),
    version: '1.0.0',
  })
  ledger.begin({
    task: 'incremental',
    subject: 'run_records',
    steps: 1,
    argv: ['--incremental'],
    version: '1.0.0',
  })
  const failing = end === 'bad' ? [3] : []
  for (const event of passEvents('import', series(1, 12), { failing })) ledger.listener(event)
  if (end === 'killed') ledger.killed('SIGTERM')
  if (end === 'dead') {
    await ledger.flush(5000)
    await ledger.close()
  } else await ledger.end({ exitCode: end === 'bad' ? 1 : 0 })
}

beforeEach(async () => {
  place = await freshPlace('sqlite')
  output = errors = ''
  mkdirSync(join(place.workDir, 'records'))
  config = join(place.workDir, 'config.yaml')
  const lines = [
    `app: { work_dir: ${place.workDir} }`,
    `source_files: { run_records_dir: ${place.workDir}/records }`,
    `artdaq_db: { database_uri: "filesystemdb://${place.workDir}/artdaq" }`,
    `ucon_db: { server_url: "file://${place.workDir}/ucon", folder_name: f, object_name: o, writer_user: u, writer_password: ppppppp }`,
    'ledger: { keep_days: 30 }',
  ]
  writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o600 })
})
afterEach(() => place.drop())

interface Listed {
  executions: { id: number; runId: string; status: string; attempted: number; failed: number }[]
}
const listed = async (more: { status?: string; since?: string; limit?: string } = {}): Promise<Listed> => {
  output = ''
  expect(await history({ config, json: true, ...more }, context)).toBe(0)
  return JSON.parse(output) as Listed
}

describe('the history', () => {
  it('lists executions, the newest first, in the words of process_logs', async () => {
    for (const end of ['good', 'bad', 'killed', 'dead'] as const) await executed(end)
    const { executions } = await listed()
    expect(executions.map(({ status }) => status)).toEqual(['TERMINATED', 'KILLED', 'PARTIAL', 'COMPLETED'])
    expect(executions.map(({ failed }) => failed)).toEqual([0, 0, 1, 0])
    output = ''
    await history({ config }, context)
    const [head = '', ...rows] = output.trimEnd().split('\n')
    expect(head).toMatch(/^ID +STARTED +STATUS +DURATION +TASK +RUNS +FAILED +RUNS\/MIN +HOST:PID +ERROR$/)
    expect(rows).toHaveLength(4)
    expect(rows[1]).toMatch(/KILLED .* incremental +12 .*Process terminated by SIGTERM signal/)
    expect(errors).toContain('Marked incomplete process 4999999 as TERMINATED')
  })

  it('can be asked for some of them', async () => {
    for (const end of ['good', 'killed', 'good'] as const) await executed(end)
    expect((await listed({ status: 'KILLED,TERMINATED' })).executions).toHaveLength(1)
    expect((await listed({ status: 'completed' })).executions).toHaveLength(2)
    expect((await listed({ since: '1h' })).executions).toHaveLength(3)
    expect((await listed({ since: '2999-01-01' })).executions).toHaveLength(0)
    expect((await listed({ limit: '2' })).executions).toHaveLength(2)
    await expect(listed({ status: 'ASLEEP' })).rejects.toMatchObject({ code: 'USAGE' })
    await expect(listed({ since: 'yesterday' })).rejects.toMatchObject({ code: 'USAGE' })
    await expect(listed({ limit: '-1' })).rejects.toMatchObject({ code: 'USAGE' })
  })

  it('shows one by its number or its UUID, with the runs that failed', async () => {
    await executed('bad')
    const [one] = (await listed()).executions
    for (const id of [String(one?.id), one?.runId ?? '']) {
      output = ''
      expect(await historyShow({ config, id }, context)).toBe(0)
      expect(output).toContain('Status:      PARTIAL')
      expect(output).toContain('12 of 12 attempted, 1 failed, in 3 batches')
      expect(output).toMatch(/import +3 +FAILED +1 +run 3 was refused/)
    }
    for (const id of ['99', 'x', "1' OR '1'='1"])
      await expect(historyShow({ config, id }, context)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('counts each day', async () => {
    for (const end of ['good', 'bad', 'killed', 'dead'] as const) await executed(end)
    await listed()
    output = ''
    expect(await historyStats({ config, json: true }, context)).toBe(0)
    const { days } = JSON.parse(output) as { days: Record<string, unknown>[] }
    expect(days).toHaveLength(1)
    expect(days[0]).toMatchObject({
      executions: 4,
      completed: 1,
      partial: 1,
      failed: 0,
      killed: 1,
      reboots: 0,
      terminated: 1,
      runs: 48,
      failedRuns: 1,
    })
    output = ''
    await historyStats({ config }, context)
    expect(output).toMatch(/^DAY \(UTC\) +EXECUTIONS +COMPLETED +PARTIAL +FAILED +KILLED +REBOOT +TERMINATED/)
  })

  it('counts days in UTC, as the ledger keeps them, and says so; a date is then one of those', async () => {
    const zone = process.env['TZ']
    process.env['TZ'] = 'Europe/Berlin'
    try {
      // Half past midnight of the next day in Berlin.
      const at = Date.UTC(2026, 10, 20, 23, 30)
      expect(new Date(at).getDate()).toBe(21)
      await executed('good', () => at)
      expect((await listed({ since: '2026-11-21' })).executions).toHaveLength(1)
      const daysSince = async (since: string): Promise<string[]> => {
        output = ''
        await historyStats({ config, since, json: true }, context)
        return (JSON.parse(output) as { days: { day: string }[] }).days.map(({ day }) => day)
      }
      expect(await daysSince('2026-11-20')).toEqual(['2026-11-20'])
      expect(await daysSince('2026-11-21')).toEqual([])
      output = ''
      await historyStats({ config, since: '2026-11-20' }, context)
      expect(output).toMatch(/^DAY \(UTC\) +EXECUTIONS/)
    } finally {
      if (zone === undefined) delete process.env['TZ']
      else process.env['TZ'] = zone
    }
  })

  it('keeps what is younger than keep_days', async () => {
    await executed('good')
    expect(await historyPrune({ config }, context)).toBe(0)
    expect(output).toContain('0 executions removed (older than 30 days)')
  })

  it('takes its flags wherever they stand on the command line', async () => {
    await executed('good')
    for (const words of [
      ['history', 'stats', '--config', config],
      ['history', '--config', config, 'stats'],
      ['history', 'show', '1', '--config', config],
      ['history', '--config', config],
    ])
      expect(await runCli(words, context)).toBe(0)
    output = ''
    await runCli(['history', '--since', '1h', '--config', config, 'stats', '--json'], context)
    expect(JSON.parse(output)).toMatchObject({ days: [{ executions: 1 }] })
  })

  it('of a site without any is a sentence', async () => {
    expect(await history({ config }, context)).toBe(0)
    expect(output).toBe('No executions.\n')
  })
})
