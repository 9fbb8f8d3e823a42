import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { scrub } from '../../../src/commands/scrub.ts'
import { valuesOf } from '../../../src/tracking/metrics/prometheus-textfile.ts'
import { Site } from '../../site.ts'
import { contextOf } from '../../context.ts'
import { listingsTaken } from '../../listings-taken.ts'
import { Served } from '../../web/served.ts'

let site: Site
beforeEach(() => {
  site = new Site({ more: 'scrub: {share: 5%}' })
  for (const run of [1, 2, 3, 4, 5]) site.record(run)
})
afterEach(() => {
  vi.restoreAllMocks()
  site.remove()
})

const rot = (run: number): void => {
  const folder = site.path('db', 'RunHistory')
  const file = readdirSync(folder)
    .map((name) => join(folder, name))
    .find((path) => {
      const text = readFileSync(path, 'utf8')
      return text.includes(`"name" : "${run}"`) && text.includes('"debug_level" : "1"')
    })!
  writeFileSync(file, readFileSync(file, 'utf8').replace('"debug_level" : "1"', '"debug_level" : "3"'))
}

describe('a scrub', () => {
  it('finds planted rot within one round, and says so until it is mended', () => {
    expect(site.archiver().status).toBe(0)
    rot(3)
    const scrubbed = site.command('scrub')
    expect(scrubbed).toMatchObject({ status: 1 })
    expect(scrubbed.stdout).toContain('DAMAGED: run 3')
    expect(scrubbed.stdout).toContain('Compared 5 of 5 archived runs: 1 damaged; 0 never compared')
    const report = site.archiver('--report-status', '--compare-state', '--check')
    expect(report.status).toBe(1)
    expect(report.stdout).toContain('run 3 is DAMAGED')
    // A pass looks at what is damaged first.
    site.record(6)
    expect(site.archiver()).toMatchObject({ status: 1 })
    expect(site.command('artdaq repair').stdout).toContain('is written again')
    site.record(7)
    expect(site.archiver()).toMatchObject({ status: 0 })
    expect(site.archiver('--report-status', '--compare-state', '--check').status).toBe(0)
  })

  it('names runs that are not archived, where it was to compare them alone', () => {
    expect(site.archiver().status).toBe(0)
    const scrubbed = site.command('scrub', '--runs', '99')
    expect(scrubbed).toMatchObject({ status: 1 })
    expect(scrubbed.stderr).toContain('no run of 99 is archived: there is nothing to compare [NOT_FOUND]')
    expect(site.command('scrub', '--runs', '5,99').stdout).toContain('Compared 1 of 5')
  })

  it('lists no place that is as the last pass listed it, and compares every run of it all the same', async () => {
    for (let passes = 0; passes < 2; passes++) expect(site.archiver('--incremental').status).toBe(0)
    rot(3)
    const taken = listingsTaken()
    const out: string[] = []
    const context = contextOf({ out: (text) => void out.push(text) })
    expect(await scrub({ config: site.config }, context)).toBe(1)
    expect(out.join('')).toContain('Compared 5 of 5 archived runs: 1 damaged; 0 never compared')
    expect(taken()).toBe(0)
    // Without what the pass saved it does (control).
    rmSync(site.path('work', '.listings.json'))
    await scrub({ config: site.config }, context)
    expect(taken()).toBeGreaterThan(0)
  })

  it('says what it found also where it cannot be noted', () => {
    expect(site.archiver().status).toBe(0)
    rot(1)
    const noted = site.path('work', '.proven.json')
    renameSync(noted, `${noted}.elsewhere`)
    symlinkSync(`${noted}.elsewhere`, noted) // no link is written through
    expect(site.command('scrub', '--runs', '1', '--json')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('"run": 1') as string,
      stderr: expect.stringContaining('STATE_UNWRITABLE') as string,
    })
    site.record(6)
    rmSync(`${noted}.elsewhere`)
    const pass = site.archiver()
    expect(pass.stderr).toContain('the scrub did not go on')
    expect(pass).toMatchObject({ status: 1, stdout: expect.stringContaining('DAMAGED: run 1') as string })
  })

  it('is in the metrics, in the alerts, and on the page of the run', async () => {
    const textfile = site.path('archiver.prom')
    writeFileSync(site.config, `${readFileSync(site.config, 'utf8')}\nmetrics: {textfile: ${textfile}}\n`)
    expect(site.archiver().status).toBe(0)
    const valueOf = (name: string) => valuesOf(readFileSync(textfile, 'utf8')).get(`archiver_${name}`)
    expect([valueOf('compared_runs'), valueOf('not_compared_runs'), valueOf('damaged_runs')]).toEqual([
      5, 0, 0,
    ])
    expect(valueOf('oldest_comparison_timestamp_seconds')).toBeGreaterThan(0)
    rot(3)
    expect(site.command('scrub', '--runs', '3').status).toBe(1)
    expect(site.command('alerts check').stdout).toContain('critical  damaged  run 3')
    site.archiver()
    expect([valueOf('compared_runs'), valueOf('damaged_runs')]).toEqual([4, 1])
    const served = new Served(site.config)
    try {
      await served.start()
      const page = async (path: string): Promise<string> => (await served.send('GET', path)).text
      expect(await page('/runs/3')).toContain('DAMAGED: ')
      expect(await page('/runs/2')).toContain('all copies last compared')
      expect(await page('/runs')).toContain(
        '4 of 5 archived runs were compared within 1 day; 0 not yet; DAMAGED: 3.',
      )
      expect(await page('/metrics')).toContain('archiver_damaged_runs 1\n')
    } finally {
      await served.remove()
    }
  })

  it('costs an idle pass nothing: what was compared is not even looked at', () => {
    site.archiver()
    site.archiver('--incremental')
    const proven = site.path('work', '.proven.json')
    rmSync(proven)
    execFileSync('mkfifo', [proven])
    const endsWithin = (milliseconds: number, ...words: string[]) =>
      spawnSync(process.execPath, ['dist/main.js', ...words], {
        timeout: milliseconds,
        killSignal: 'SIGKILL',
      })
    expect(endsWithin(60_000, site.config, '--incremental')).toMatchObject({ status: 0, signal: null })
    // Control: who reads it cannot go on.
    const scrub = endsWithin(60_000, 'scrub', '--config', site.config)
    expect([scrub.status, String(scrub.stderr)]).toEqual([1, expect.stringContaining('.proven.json')])
  })

  it('compares what was held when this archiver came: it is not called archived before', () => {
    site.archiver()
    rmSync(site.path('work'), { recursive: true })
    const before = JSON.parse(site.archiver('--report-status', '--json').stdout) as {
      compared: { not_yet_compared: string }
    }
    expect(before.compared.not_yet_compared).toBe('1-5')
    expect(site.command('scrub', '--runs', '1-2').status).toBe(0)
    expect(site.archiver('--report-status').stdout).toContain('3 held, not yet compared (3, 4, 5)')
    expect(site.command('scrub').status).toBe(0)
    expect(site.archiver('--report-status').stdout).toContain('every archived run within 1 day')
  })

  it('that is off compares nothing in a pass', () => {
    writeFileSync(site.config, readFileSync(site.config, 'utf8').replace('share: 5%', 'share: off'))
    site.archiver()
    rot(1)
    site.record(6)
    expect(site.archiver().status).toBe(0)
  })

  it('leaves a record that has changed to the next pass: that is not damage', () => {
    site.archiver()
    writeFileSync(site.path('records', '2', 'late.txt'), 'late')
    site.age(2, 600)
    expect(site.command('scrub').status).toBe(0)
  })
})

describe('a recovery', () => {
  it('leaves runs that are not ready to the next pass, and out of the failure log', () => {
    writeFileSync(
      site.config,
      readFileSync(site.config, 'utf8').replace('settle_seconds: 0', 'settle_seconds: 30'),
    )
    site.record(4, { ageSeconds: 0 })
    site.archiver('--incremental')
    expect(site.archiver('--recover-import-state').status).toBe(0)
    expect(site.failures('import')).toBe('')
  })
})
