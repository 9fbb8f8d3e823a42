import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verify } from '../../src/commands/verify.ts'
import { checksumOf, formatChecksum } from '../../src/stores/ucondb/checksum-file.ts'
import { contextOf } from '../context.ts'
import { commandLine, findsNothing, functions, readsUnchecked } from './commands.ts'
import { DamagedSite } from './damaged-site.ts'
import { filesBelow } from './damages.ts'
import { Trial, tryDamages } from './try-damages.ts'

/** Damages whose commands are called as functions. A twentieth of them go through the command line. */
const COUNT = Number(process.env['ARCHIVER_DAMAGES'] ?? 20)
const SEED = Number(process.env['ARCHIVER_SEED'] ?? 20261128)
const THROUGH_COMMAND_LINE = Math.ceil(COUNT / 20)
const SITES = 4

const sites: DamagedSite[] = []
beforeAll(async () => {
  for (let n = 0; n < SITES; n++) {
    const site = new DamagedSite()
    sites.push(site)
    await site.prepare(functions(site.site))
  }
})
afterAll(() => sites.forEach(({ site }) => site.remove()))

describe('random damage', () => {
  it(
    `of ${COUNT} kinds gives no reader wrong bytes, and is found where one gets nothing`,
    async () => {
      expect(await tryDamages(sites, functions, COUNT, SEED)).toEqual([])
    },
    60_000 + COUNT * 5000,
  )

  it(
    `is found through the command line, ${THROUGH_COMMAND_LINE} times`,
    async () => {
      const some = sites.slice(0, Math.min(THROUGH_COMMAND_LINE, 3))
      expect(await tryDamages(some, commandLine, THROUGH_COMMAND_LINE, SEED + SITES)).toEqual([])
    },
    60_000 + THROUGH_COMMAND_LINE * 60_000,
  )

  it.each([
    { control: 'a reader without the checks gives wrong bytes', of: readsUnchecked, noticed: 'wrong bytes' },
    { control: 'checks that look at nothing', of: findsNothing, noticed: 'nothing finds it' },
  ])(
    'is noticed by this test: $control (control)',
    async ({ of, noticed }) => {
      const [site] = sites
      const trial = await Trial.on(site!, of(site!.site), SEED)
      let wrong = ''
      for (let n = 0; n < 100 && !wrong.includes(noticed); n++)
        wrong += (await trial.try('bit', [site!.site.path('db')])).join()
      expect(wrong).toContain(noticed)
      site!.heal()
    },
    120_000,
  )

  it('is found where a blob and its checksum file both say something else', async () => {
    const [damaged] = sites
    const { site } = damaged!
    damaged!.heal()
    const given = (): Promise<string | undefined> => damaged!.given(functions(site), 1, 'archive')
    const before = await given()
    const blob = filesBelow(site.path('archive')).find((path) => path.endsWith('/1.txt'))!
    chmodSync(blob, 0o644)
    writeFileSync(blob, readFileSync(blob, 'utf8').replace('debug_level', 'debug_lexel'))
    expect(await given()).toBeUndefined()
    const sum = blob.replace('.txt', '.sha256')
    chmodSync(sum, 0o644)
    writeFileSync(sum, formatChecksum(checksumOf(readFileSync(blob), '1.txt', Date.now())))
    const after = await given()
    expect(after).toBeDefined()
    expect(after).not.toBe(before)
    expect(await verify({ config: site.config }, contextOf())).toBe(1)
    damaged!.heal()
  })
})
