import { afterEach, describe, expect, it } from 'vitest'
import { type Mode, recordFiles, writeOriginal } from '../original.ts'
import { Site } from '../site.ts'

let site: Site | undefined
afterEach(() => site?.remove())

interface Damage {
  readonly entity: string
  readonly from: string | RegExp
  /** `X`: another digit than was there. */
  readonly to: string
}

/** One value of every kind of document that the original stores in both of its modes; `schema`, which no record gives, is not among them. */
const DAMAGES: readonly Damage[] = [
  { entity: 'EventBuilder1', from: '"x"', to: '"y"' },
  { entity: 'tpc01', from: /run: \d/, to: 'run: 9' },
  { entity: 'boot', from: 'source: "3"', to: 'source: "2"' },
  { entity: 'metadata', from: '"tpc01"', to: '"tpc02"' },
  { entity: 'RunHistory', from: '"beam_a"', to: '"beam_b"' },
  { entity: 'RunHistory2', from: '15:42:07', to: '15:42:06' },
]
const BY_MODE: Readonly<Record<Mode, readonly Damage[]>> = {
  conftoolp: [
    { entity: 'hashes', from: /(boot:)[0-9a-f]/, to: 'X' },
    { entity: 'hashes', from: 'boot:', to: 'bnot:' },
    { entity: 'hashes', from: /(configuration:)[0-9a-f]/, to: 'X' },
  ],
  tools: [
    { entity: 'settings', from: 'artdaq_core', to: 'artdaq_cure' },
    { entity: 'setup', from: 'A=1', to: 'A=2' },
  ],
}

const FIRST = 13000
/** Between two runs that are damaged is one that is not. */
const STEP = 2

const damaged = (text: string, { from, to }: Damage): string =>
  text.replace(from, (found: string, name: unknown) =>
    to === 'X' ? `${String(name)}${found.endsWith('0') ? '1' : '0'}` : to,
  )

describe.each<Mode>(['conftoolp', 'tools'])('what the original stored in its mode %s', (mode) => {
  it('and was damaged before the first pass: each document is named, by the pass and by verify', () => {
    const damages = [...DAMAGES, ...BY_MODE[mode]]
    const runs = damages.map((_, index) => FIRST + STEP * index)
    const sound = runs.map((run) => run + 1)
    const all = [...runs, ...sound].sort()
    site = new Site({ source: '  settle_seconds: 0' })
    for (const run of all) site.record(run, { files: recordFiles(run) })
    writeOriginal(site.path('db'), all, mode, {
      change: (entity, text, run) => {
        const damage = damages[(run - FIRST) / STEP]
        if (damage?.entity !== entity) return text
        const changed = damaged(text, damage)
        expect(changed, entity).not.toBe(text)
        return changed
      },
    })
    const pass = site.archiver()
    expect(pass.status, pass.stdout).toBe(1)
    expect(site.failures('import')).toBe(runs.map((run) => `${run}\n`).join(''))
    expect(site.archived()).toEqual(sound.map(String))
    const verify = site.command('verify')
    expect(verify.status, verify.stdout).toBe(1)
    expect(verify.stdout).toContain(`${runs.length} with differences`)
    const check = site.command('artdaq check')
    expect(check.status, check.stdout).toBe(1)
    damages.forEach(({ entity }, index) => {
      const told = `RunHistory/${entity} in artdaqDB is`
      expect(check.stdout).toMatch(new RegExp(`run ${runs[index]}: ${told}`))
      const difference = site?.command('diff', String(runs[index]))
      expect(difference?.status, entity).toBe(1)
      expect(difference?.stdout).toContain(told)
    })
    for (const run of sound) expect(check.stdout).not.toContain(`run ${run}:`)
  })
})
