import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Mode, recordFiles, writeOriginal } from '../original.ts'
import { Site } from '../site.ts'

let site: Site | undefined
afterEach(() => site?.remove())

const RUNS = [11, 12, 13]
const LOST = 'RunHistory/hashes in artdaqDB is lost'

/** A site whose runs the original stored; some documents of run 12 are not there, and in no index. */
const takenOver = (lost: readonly string[], mode: Mode = 'conftoolp'): Site => {
  site = new Site()
  for (const run of RUNS) site.record(run, { files: recordFiles(run) })
  writeOriginal(site.path('db'), RUNS, mode, {
    leaveOut: (run, entity) => run === 12 && lost.includes(entity),
  })
  return site
}

/** The documents of run 12 as artdaq's export gives them, by name. */
const exported = (of: Site): ReadonlyMap<string, string> => {
  const to = of.path('out')
  rmSync(to, { recursive: true, force: true })
  expect(of.command('artdaq export', '12', '--to', to).status).toBe(0)
  const files = readdirSync(to, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.fcl'))
  return new Map(files.map((name) => [name.replace(/.*\//, ''), readFileSync(join(to, name), 'utf8')]))
}

/** Removes documents of run 12 that are stored, also from the indexes. */
const lose = (of: Site, lost: readonly string[]): void => {
  const folder = of.path('db', 'RunHistory')
  for (const file of readdirSync(folder)) {
    const text = file === 'index.json' ? '' : readFileSync(join(folder, file), 'utf8')
    if (text.includes('"12/beam_a') && lost.some((entity) => text.includes(`"name" : "${entity}"`)))
      rmSync(join(folder, file))
  }
  expect(of.command('artdaq repair').status).toBe(0)
}

const expectSound = (of: Site): void => {
  for (const check of ['verify', 'audit --deep', 'artdaq check']) {
    const { status, stdout } = of.command(check)
    expect(status, stdout).toBe(0)
  }
}

const expectLost = (of: Site): void => {
  for (const check of ['verify', 'audit --deep', 'artdaq check', 'diff 12']) {
    const { status, stdout } = of.command(check)
    expect(status, stdout).toBe(1)
    expect(stdout).toContain(LOST)
    expect(stdout).not.toMatch(/run 1[13](?: is damaged|:)/i)
  }
}

describe('a list of digests that a run of the original has lost', () => {
  it.each([
    { what: 'alone', lost: ['hashes'] },
    { what: 'with a document that it named', lost: ['hashes', 'tpc01'] },
  ])('$what before the first pass: a check says so, and the pass makes all of it again', ({ lost }) => {
    const of = takenOver(lost)
    const check = of.command('artdaq check')
    expect(check.status, check.stdout).toBe(1)
    expect(check.stdout).toContain(LOST)
    const pass = of.archiver()
    expect(pass.status, pass.stdout + pass.stderr).toBe(0)
    expect(pass.stdout + pass.stderr).toMatch(/\[Run 12\] it lacked .*hashes, made again from its record/)
    expect(of.archived()).toEqual(RUNS.map(String))
    expectSound(of)
    const names = [...exported(of).keys()]
    expect(names).toEqual(expect.arrayContaining([...lost.map((name) => `${name}.fcl`), 'settings.fcl']))
    expect(exported(of).get('hashes.fcl')).toMatch(/^tpc01: "?[0-9a-f]{32}/m)
    expect(of.archiver('--incremental').stdout).toContain('Import:  0 archived, 0 failed')
  })

  it.each([
    { what: 'alone', lost: ['hashes'] },
    { what: 'with a document that it named', lost: ['hashes', 'tpc01'] },
  ])('$what after it was archived: every check says so, and it comes back as it was', ({ lost }) => {
    const of = takenOver([])
    expect(of.archiver().status).toBe(0)
    const before = exported(of)
    expect([...before.keys()]).toContain('hashes.fcl')
    lose(of, lost)
    expectLost(of)
    const again = of.archiver('--import-only', '--runs', '12')
    expect(again.status, again.stdout + again.stderr).toBe(0)
    expect(again.stdout + again.stderr).toMatch(
      /(?:tpc01, )?hashes was lost after the run was archived; written again as the archive has it/,
    )
    expectSound(of)
    expect(new Map([...exported(of)].sort())).toEqual(new Map([...before].sort()))
  })

  it('and a document that the scrub misses: the next pass makes both again, and is not asked to', () => {
    const of = takenOver([])
    expect(of.archiver().status).toBe(0)
    lose(of, ['hashes', 'boot'])
    expect(of.archiver().stdout).toContain('Import:  0 archived')
    expect(of.command('scrub', '--for', '10s').status).toBe(1)
    const pass = of.archiver('--incremental')
    expect(pass.status, pass.stdout + pass.stderr).toBe(0)
    expect(pass.stdout + pass.stderr).toContain('boot, hashes was lost after the run was archived')
    expect(of.command('scrub', '--for', '10s').status).toBe(0)
    expectSound(of)
  })

  it('is missed in no run of the mode that never wrote one', () => {
    const of = takenOver([], 'tools')
    expect(of.command('artdaq check').status).toBe(0)
    expect(of.archiver().status).toBe(0)
    expectSound(of)
    expect([...exported(of).keys()]).not.toContain('hashes.fcl')
  })
})
