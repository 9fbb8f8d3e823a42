import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { exported, filesOf, lose, ofOriginal, RUNS } from '../commands/original-site.ts'
import { functions } from '../damage/commands.ts'
import type { Site } from '../site.ts'
import { pointsOf, siteLike } from './copied-site.ts'
import { crashAt } from './harness.ts'

const PASS = ['--import-only', '--runs', '12']
const LOST = ['hashes', 'tpc01']

const templates: Site[] = []
afterAll(() => templates.forEach((site) => site.remove()))

/** What the original stored of run 12, and what its export gives when nothing is lost. */
const sound = ofOriginal([])
templates.push(sound)
sound.archiver()
const BEFORE = exported(sound)

/** What is wrong with the two documents of run 12, as its readers are given them, beside what an undisturbed pass makes of them. */
const troubleOf = (site: Site, wanted = BEFORE): string[] => {
  let given: ReadonlyMap<string, string> = new Map()
  try {
    given = exported(site)
  } catch (error) {
    return [String(error)]
  }
  return LOST.map((name) => `${name}.fcl`)
    .filter((name) => given.get(name) !== wanted.get(name))
    .map((name) => `${name} is ${given.has(name) ? 'another' : 'missing'}`)
}

const SITUATIONS = [
  {
    when: 'before the first pass, which makes them again from the record',
    words: [] as string[],
    prepare: () => ofOriginal(LOST),
  },
  {
    when: 'after it was archived, and a pass writes them as the archive has them',
    words: PASS,
    prepare: () => {
      const site = siteLike(sound)
      lose(site, LOST)
      return site
    },
  },
]

for (const { when, words, prepare } of SITUATIONS) {
  const template = prepare()
  const undisturbed = siteLike(template)
  undisturbed.archiver(...words)
  const wanted = exported(undisturbed)
  templates.push(template, undisturbed)
  describe(`a list of digests and a document of a run of the original, lost ${when}`, () => {
    it.each(pointsOf(template, words).filter(([name]) => /^artdaq|^import|^attachments/.test(name)))(
      'killed at "%s" (%i): no check calls the run sound while they are lost, and they come back as they were',
      async (name, nth) => {
        const site = siteLike(template)
        expect(crashAt(site, words, name, nth).signal).toBe('SIGKILL')
        const [verified] = await functions(site).checks()
        if (verified === 0) expect(troubleOf(site, wanted)).toEqual([])
        site.archiver(...words)
        await functions(site).pass(true)
        expect(troubleOf(site, wanted)).toEqual([])
        expect(await functions(site).checks()).toEqual([0, 0, 0])
        expect(site.archived()).toEqual(RUNS.map(String))
        site.remove()
      },
    )
  })
}

describe('documents that came back with one byte less (control)', () => {
  it.each(LOST)('are found wrong, and by the checks: %s', async (entity) => {
    const site = siteLike(sound)
    for (const path of filesOf(site, [entity])) {
      const text = readFileSync(path, 'utf8')
      writeFileSync(path, text.replace(/(?<="data" : \{[^]*)\d/, ''))
      expect(readFileSync(path, 'utf8')).not.toBe(text)
    }
    expect(troubleOf(site)).not.toEqual([])
    expect((await functions(site).checks()).some((code) => code !== 0)).toBe(true)
    site.remove()
  })
})
