import { afterEach, describe, expect, it } from 'vitest'
import type { Mode } from '../original.ts'
import type { Site } from '../site.ts'
import { exported, lose, ofOriginal, RUNS } from './original-site.ts'

let site: Site | undefined
afterEach(() => site?.remove())

const LOST = 'RunHistory/hashes in artdaqDB is lost'

/** Removed when the test ends. */
const takenOver = (lost: readonly string[], mode?: Mode): Site => (site = ofOriginal(lost, mode))

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
