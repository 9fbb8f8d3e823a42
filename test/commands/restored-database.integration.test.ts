import { cpSync, readFileSync, rmSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

const sites: Site[] = []
afterEach(() => sites.splice(0).forEach((site) => site.remove()))

/** Run 3 is archived, and again when its record has changed; then artdaqDB is as it was before that. */
const restored = (): Site => {
  const site = new Site()
  sites.push(site)
  for (const run of [1, 3]) site.record(run)
  site.archiver()
  cpSync(site.path('db'), site.path('yesterday'), { recursive: true, preserveTimestamps: true })
  site.record(3, { files: { 'late.txt': 'later\n' }, ageSeconds: 1800 })
  expect(site.archiver('--incremental')).toMatchObject({ status: 0 })
  expect(site.archived()).toEqual(['1', '3', '3-update-1'])
  rmSync(site.path('db'), { recursive: true })
  cpSync(site.path('yesterday'), site.path('db'), { recursive: true, preserveTimestamps: true })
  return site
}

const extracted = (site: Site): string => {
  rmSync(site.path('out'), { recursive: true, force: true })
  const { status } = site.command('extract', '3', '--from', 'artdaq', '--to', site.path('out'))
  return status === 0 ? readFileSync(site.path('out', 'late.txt'), 'utf8') : 'nothing'
}

describe('artdaqDB restored from a copy that is older than the archive', () => {
  it('is found by verify and audit, said by a pass, and made good by the next', () => {
    const site = restored()
    expect(site.command('verify')).toMatchObject({ status: 1 })
    expect(site.command('audit', '--deep')).toMatchObject({ status: 1 })
    const first = site.archiver('--incremental')
    expect(first.stdout + first.stderr).toContain(
      'artdaqDB holds an older content of runs 3 than the archive',
    )
    const second = site.archiver('--incremental')
    expect(second).toMatchObject({ status: 0 })
    expect(second.stdout).toMatch(/Import: +1 archived[^]*Migrate: +1 archived/)
    expect(extracted(site)).toBe('later\n')
    expect(site.archived()).toEqual(['1', '3', '3-update-1'])
    for (const words of [['verify'], ['audit', '--deep'], ['artdaq check']])
      expect(site.command(words[0]!, ...words.slice(1)), words.join(' ')).toMatchObject({ status: 0 })
    site.archiver('--incremental')
    expect(site.archiver('--incremental').stdout).toContain('Nothing new')
  })

  it('is said by each pass where the record is gone, and compared with what was archived', () => {
    const site = restored()
    rmSync(site.path('records', '3'), { recursive: true })
    for (let n = 0; n < 3; n++) {
      const { stdout, stderr } = site.archiver('--incremental')
      expect(stdout + stderr).toContain('artdaqDB holds an older content of runs 3')
    }
    expect(site.command('audit', '--deep')).toMatchObject({ status: 1 })
    expect(site.archived()).toEqual(['1', '3', '3-update-1'])
  })

  it('and whose record is another by now: it is a conflict, and nothing is overwritten', () => {
    const site = restored()
    const blob = (): string =>
      readFileSync(site.path('archive/run_records/configuration/0-999/3-update-1.txt'), 'utf8')
    const before = blob()
    site.record(3, { files: { 'late.txt': 'much later\n' }, ageSeconds: 900 })
    expect(site.archiver('--incremental')).toMatchObject({ status: 1 })
    expect(site.failures('migrate')).toBe('3\n')
    expect(blob()).toBe(before)
  })

  it('and whose record is another by now is a conflict too where each stage has a process of its own', () => {
    const site = restored()
    site.record(3, { files: { 'late.txt': 'much later\n' }, ageSeconds: 900 })
    expect(site.archiver('--incremental', '--import-only')).toMatchObject({ status: 0 })
    expect(site.archiver('--incremental', '--migrate-only')).toMatchObject({ status: 1 })
    expect(site.failures('migrate')).toBe('3\n')
  })
})
