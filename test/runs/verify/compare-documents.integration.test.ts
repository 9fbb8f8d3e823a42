import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { damagedForeignSite } from '../../foreign-site.ts'
import type { Site } from '../../site.ts'

let site: Site
beforeAll(() => {
  site = damagedForeignSite()
})
afterAll(() => site.remove())

/** Every document, by its path in the database. */
const documents = (): Map<string, string> =>
  new Map(
    readdirSync(site.path('db'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.json') && !name.includes('index'))
      .map((name) => [name, readFileSync(site.path('db', name), 'utf8')]),
  )

describe('runs that other programs stored', () => {
  it('are compared with their record by verify, diff, audit and check', () => {
    expect(site.command('diff', '51001')).toMatchObject({ status: 1 })
    expect(site.command('diff', '51001').stdout).toContain('RunHistory/boot in artdaqDB is not what')
    expect(site.command('diff', '51002').stdout).toContain('tpc01.fcl has no document in artdaqDB')
    expect(site.command('diff', '51003')).toMatchObject({ status: 0 })
    expect(site.command('verify').stdout).toContain('2 with differences')
    expect(site.command('audit', '--deep')).toMatchObject({ status: 1 })
    const checked = site.command('artdaq check')
    expect(checked).toMatchObject({ status: 1 })
    expect(checked.stdout).toContain('run 51001: RunHistory/boot in artdaqDB is not what')
    expect(checked.stdout).toContain('run 51002: tpc01.fcl has no document')
    expect(checked.stdout).not.toContain('51003')
  })

  it('are completed by a pass where they lack documents, fail where they differ, and are left alone where they do not', () => {
    const before = documents()
    const first = site.archiver('--incremental')
    expect(first).toMatchObject({ status: 1 })
    expect(first.stdout).toContain('Import:  1 archived, 1 failed')
    expect(site.failures('import')).toBe('51001\n')
    expect(site.failures('migrate')).toBe('51001\n')
    expect(site.archived()).toEqual(['51002', '51003'])
    const added = [...documents()].filter(([name]) => !before.has(name))
    expect(added.map(([, text]) => /"version" : "([^"]*)"/.exec(text)?.[1])).toEqual([
      '51002/Calibration_Laser_A',
    ])
    for (const [name, text] of before) expect(documents().get(name), name).toBe(text)
    expect(site.command('verify', '--runs', '51002,51003').status).toBe(0)
    // One more pass compares what was completed; then there is nothing to do, and nothing is compared again.
    expect(site.archiver('--incremental')).toMatchObject({ status: 0 })
    expect(site.archiver('--incremental').stdout).toContain('Nothing new')
    expect(readFileSync(site.path('work', '.compared-foreign.json'), 'utf8')).toContain('51002-51003')
  })

  it('and differ are told again by a full pass, and never overwritten', () => {
    const before = documents()
    expect(site.archiver()).toMatchObject({ status: 1 })
    expect(documents()).toEqual(before)
    expect(site.command('audit', '--deep').stdout).toContain('run 51001 is damaged')
  })

  it('whose record is gone are not blamed', () => {
    rmSync(site.path('records', '51001'), { recursive: true })
    rmSync(site.path('work'), { recursive: true })
    expect(site.archiver('--import-only')).toMatchObject({ status: 0 })
    expect(site.failures('import')).toBe('')
    const checked = site.command('artdaq check')
    expect(checked).toMatchObject({ status: 0 })
  })
})
