import { chmodSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

let site: Site
beforeEach(() => {
  site = new Site()
  for (const run of [8, 9, 10]) site.record(run)
  mkdirSync(site.path('records', '8', 'empty'))
  mkdirSync(site.path('records', '8', 'a'))
  site.age(8, 3600)
  expect(site.archiver().status).toBe(0)
})
afterEach(() => site.remove())

const SAME = 'Verified 3 of 3 archived runs, 9 copies read back: 0 with differences\n'

describe('verify', () => {
  it('finds no difference where there is none', () => {
    expect(site.command('verify')).toMatchObject({ status: 0, stdout: SAME })
  })
  it('finds what is changed beside files: folders, links, and the directory’s own mode', () => {
    rmdirSync(site.path('records', '8', 'empty'))
    chmodSync(site.path('records', '8', 'a'), 0o700)
    symlinkSync('/etc/passwd', site.path('records', '8', 'link'))
    chmodSync(site.path('records', '10'), 0o700)
    const { status, stdout } = site.command('verify')
    expect(status).toBe(1)
    for (const says of ['empty, a folder of mode', 'a is a folder of mode 0700', 'link, a link,', 'Run 10:\n  the directory has mode 0700']) expect(stdout).toContain(says) // prettier-ignore
  })
  it('says of runs that it was asked for, and are nowhere archived, that they are not', () => {
    site.record(11)
    const { status, stdout } = site.command('verify', '--runs', '9-11,9999')
    expect([status, stdout]).toEqual([1, expect.stringContaining('Verified 2 of 3 archived runs') as string])
    expect(stdout).toContain('neither in artdaqDB nor in the archive: 11,9999\n')
    expect(JSON.parse(site.command('verify', '--runs', '11', '--json').stdout)).toMatchObject({ verified: 0, missing: '11' }) // prettier-ignore
  })
  it('calls nothing archived that is there in part, and names what only artdaqDB has', () => {
    const mark = site.path('db', 'SystemLayout')
    for (const name of readdirSync(mark))
      if (name !== 'index.json' && readFileSync(join(mark, name), 'utf8').includes('"8/'))
        rmSync(join(mark, name))
    const shard = site.path('archive', 'run_records', 'configuration', '0-999')
    for (const name of ['9.txt', '9.sha256']) rmSync(join(shard, name), { force: true })
    const { status, stdout } = site.command('verify')
    expect(status).toBe(1)
    expect(stdout).toContain('there only in part: 8\n')
    expect(stdout).toContain('in artdaqDB and not in the archive: 9\n')
    expect(JSON.parse(site.command('verify', '--json').stdout)).toMatchObject({ incomplete: '8', not_in_archive: '9' }) // prettier-ignore
  })
  it('looks at one run at least, however small the sample', () => {
    const { status, stdout } = site.command('verify', '--sample', '0.0001%')
    expect([status, stdout]).toEqual([0, expect.stringContaining('Verified 1 of 3') as string])
  })
})

describe('diff', () => {
  it('of a run that is nowhere says so', () => {
    const { status, stderr } = site.command('diff', '9999')
    expect([status, stderr]).toEqual([1, expect.stringContaining('NOT_FOUND') as string])
  })
  it('of a run of which there is one copy does not say that there is no difference', () => {
    site.record(11)
    expect(site.command('diff', '11').stdout).toBe(
      'Run 11: run record present, artdaqDB absent, archive absent\n  one copy alone, nothing to compare it with\n',
    )
    expect(site.command('diff', '9').stdout).toContain('no difference')
  })
})

describe('a directory whose own mode changed after its record was archived', () => {
  it('is stored again by the next pass, so that the record comes back with that mode', () => {
    chmodSync(site.path('records', '10'), 0o700)
    expect(site.archiver('--incremental').stdout).toContain('1 archived')
    expect(site.command('verify')).toMatchObject({ status: 0, stdout: SAME })
    expect(site.archiver('--incremental').stdout).not.toContain('1 archived')
  })
})
