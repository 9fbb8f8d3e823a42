import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openArchiver } from '../../src/app/open-archiver.ts'
import { status } from '../../src/commands/report.ts'
import { runPass } from '../../src/runs/pass.ts'
import { scrubShare } from '../../src/runs/scrub/scrub-share.ts'
import { contextOf } from '../context.ts'
import { Site } from '../site.ts'
import { unprivileged } from '../unprivileged.ts'

let site: Site
beforeEach(() => (site = new Site({ more: 'scrub: {share: 5%}' })))
afterEach(() => site.remove())

/** A pass with its scrub, as a user for whom a mode counts; what it warned of. */
const pass = async (): Promise<{ warnings: string; succeeded: number }> => {
  const archiver = await openArchiver(site.config, contextOf())
  const warnings: string[] = []
  const conditions = {
    stop: new AbortController().signal,
    abandon: new AbortController().signal,
    listener: () => undefined,
    assertHeld: () => undefined,
    corrupt: () => undefined,
    damaged: () => undefined,
    warn: (text: string) => void warnings.push(text),
  }
  const reports = await runPass(archiver, { mode: 'incremental', stages: ['import', 'migrate'] }, conditions)
  await scrubShare(archiver, reports, 1, conditions)
  const succeeded = reports.reduce((sum, { outcome }) => sum + (outcome?.succeeded.size ?? 0), 0)
  return { warnings: warnings.join('\n'), succeeded }
}

const report = async (): Promise<{ code: number; text: string }> => {
  let text = ''
  const context = contextOf({ out: (some) => void (text += some) })
  return { code: await status({ config: site.config }, context), text }
}

describe('notes for later passes that the system does not give', () => {
  it.each(['.proven.json', '.watched-records.json'])(
    'are said by a pass that has nothing to do: %s',
    (name) => {
      site.record(1)
      expect(site.archiver().status).toBe(0)
      for (let pass = 1; pass <= 2; pass++)
        expect(site.archiver('--incremental').stdout).toContain('Nothing new to import or migrate.')
      rmSync(site.path('work', name), { force: true })
      mkdirSync(site.path('work', name))
      for (let pass = 1; pass <= 2; pass++)
        expect(site.archiver('--incremental').stderr).toMatch(new RegExp(`${name} is no regular file`))
    },
  )
  it.each(['.proven.json', '.watched-records.json'])(
    'are said by pass and report, never replaced, and keep nothing from being archived: %s',
    async (name) => {
      site.record(1)
      expect(site.archiver().status).toBe(0)
      const folder = site.path('db', 'RunHistory')
      for (const file of readdirSync(folder)) {
        const text = readFileSync(join(folder, file), 'utf8')
        writeFileSync(join(folder, file), text.replace('"debug_level" : "1"', '"debug_level" : "3"'))
      }
      expect(site.command('scrub').status).toBe(1)
      const path = site.path('work', name)
      const before = readFileSync(path, 'utf8')
      site.record(2)
      chmodSync(path, 0)
      await unprivileged(site.root, async () => {
        expect(await pass()).toMatchObject({
          succeeded: 2,
          warnings: expect.stringMatching(new RegExp(`${name}: EACCES`)) as string,
        })
        expect((await pass()).warnings).toContain(`${name}: EACCES`)
        expect(await report()).toMatchObject({
          code: 1,
          text: expect.stringMatching(new RegExp(`Cannot read notes: .*${name}: EACCES`)) as string,
        })
      })
      chmodSync(path, 0o600)
      expect(readFileSync(path, 'utf8')).toBe(before)
      expect(site.archiver('--incremental').status).toBeLessThan(2)
      expect((await report()).text).toMatch(/run 1 is DAMAGED/)
    },
  )

  it('are made anew where they are gone', async () => {
    site.record(1)
    site.archiver()
    for (const name of ['.proven.json', '.watched-records.json']) rmSync(site.path('work', name))
    site.record(2)
    expect(await pass()).toEqual({ succeeded: 2, warnings: '' })
    expect(existsSync(site.path('work', '.watched-records.json'))).toBe(true)
  })
})
