import { cpSync, readdirSync, utimesSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Site } from '../../site.ts'

// Run records 51001 to 51003, and what artdaq's own tools stored of them: the boot document of 51001 says another PMT_port than its record, and
// the tpc01 document of 51002 is missing. None of the three has a manifest of ours.
let site: Site
beforeAll(() => {
  site = new Site({ source: '  settle_seconds: 0\n  incomplete_after: 0' })
  const fixture = 'test/fixtures/foreign-run-damaged'
  cpSync(`${fixture}/records`, site.path('records'), { recursive: true })
  cpSync(`${fixture}/db`, site.path('db'), { recursive: true })
  for (const run of readdirSync(site.path('records'))) utimesSync(site.path('records', run), 1, 1)
})
afterAll(() => site.remove())

describe('runs that other programs stored', () => {
  it('are compared with their record by verify, diff and audit', () => {
    expect(site.command('diff', '51001')).toMatchObject({ status: 1 })
    expect(site.command('diff', '51001').stdout).toContain('RunHistory/boot in artdaqDB is not what')
    expect(site.command('diff', '51002').stdout).toContain('tpc01.fcl has no document in artdaqDB')
    expect(site.command('diff', '51003')).toMatchObject({ status: 0 })
    expect(site.command('verify').stdout).toContain('2 with differences')
    expect(site.command('audit', '--deep')).toMatchObject({ status: 1 })
  })

  it('are not migrated where they differ, and the others are', () => {
    expect(site.archiver().status).toBe(1)
    expect(site.failures('migrate')).toBe('51001\n51002\n')
    expect(site.archived()).toEqual(['51003'])
    expect(site.command('verify', '--runs', '51003').status).toBe(0)
  })
})
