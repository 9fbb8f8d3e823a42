import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Site } from '../../site.ts'

let site: Site
beforeEach(() => {
  site = new Site({ more: 'scrub: {share: 5%}' })
  for (const run of [1, 2, 3, 4, 5]) site.record(run)
})
afterEach(() => site.remove())

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
    expect(scrubbed.stdout).toContain('Compared 5 of 5 archived run(s): 1 damaged; 1 never compared')
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
    expect(site.archiver('--report-status').stdout).toContain('every archived run within 1 day(s)')
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
