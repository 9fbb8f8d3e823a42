import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

let site: Site
beforeEach(() => {
  site = new Site({ more: 'ledger:\n  url: "off"' })
  for (let run = 1; run <= 9; run++) site.record(run)
})
afterEach(() => site.remove())

const start = (id: number) =>
  new Promise<number | null>((done) =>
    spawn(
      process.execPath,
      [resolve('dist/main.js'), site.config, '--instance-id', String(id), '--instance-count', '2'],
      { stdio: 'ignore' },
    ).on('close', done),
  )

describe('two instances that split the runs by their number', () => {
  it('archive each run once, at the same time, and their state files are joined', async () => {
    site.record('0007') // two directories for run 7: it fails
    expect(await Promise.all([start(0), start(1)])).toEqual([0, 1])
    const archived = ['1', '2', '3', '4', '5', '6', '8', '9']
    expect(site.archived()).toEqual(archived)
    const fileOf = (name: string) => readFileSync(site.path('work', name), 'utf8')
    expect(fileOf('import_failures.1-of-2.log')).toBe('7\n')
    expect(JSON.parse(fileOf('importer_state.0-of-2.json'))).toMatchObject({ last_attempted_run: 8 })
    const merged = site.command('state merge')
    expect([merged.status, merged.stderr]).toEqual([0, expect.any(String)])
    expect(site.state('importer')).toEqual({ last_contiguous_run: 6, last_attempted_run: 9 })
    expect(site.failures('import')).toBe('7\n')
    expect(site.archiver('--incremental').stdout).toContain('Import:  0 archived, 0 failed')
  })
  it('say nothing of the runs of the other one, which were there before', async () => {
    expect(await start(1)).toBe(0)
    expect(await start(0)).toBe(0)
    const state = (id: number): unknown =>
      JSON.parse(readFileSync(site.path('work', `importer_state.${id}-of-2.json`), 'utf8'))
    expect(state(0)).toMatchObject({ last_attempted_run: 8 })
    expect(state(1)).toMatchObject({ last_attempted_run: 9 })
  })
  it('refuse a share that is none', () => {
    const { status, stderr } = site.archiver('--instance-id', '2', '--instance-count', '2')
    expect([status, stderr]).toEqual([64, expect.stringContaining('no share of the runs')])
  })
})
