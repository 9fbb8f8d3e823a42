import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { randomFrom, seed } from '../crash/random.ts'
import { BreakingProxy } from './breaking-proxy.ts'
import { CHILD_SETTING, CHILDREN, makeGroups, standing, wholeGroups } from './group-site.ts'
import { killOnceMoving } from './killing.ts'
import { DIALECTS, range, serverAnswers, type Site, startArchiver } from './servers.ts'

/** ARCHIVER_ROWS_KILLS=300 ARCHIVER_GROUPS_COUNT=20000 is the long form. A group is seven rows. */
const KILLS = Number(process.env['ARCHIVER_ROWS_KILLS'] ?? 3)
const COUNT = Number(process.env['ARCHIVER_GROUPS_COUNT'] ?? 800)

/** Moments of a batch, as they stand in the source. */
const STEPS = ['groups.ts', 'group-steps.ts'].flatMap((file) =>
  [...readFileSync(`src/rows/${file}`, 'utf8').matchAll(/\bstep\('([^']+)'\)/g)].map(([, name]) => name!),
)

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: children are not killed there`)

  describe.skipIf(!isThere)(`a move of ${name} rows with their children`, () => {
    let site: Site
    beforeEach(async () => {
      site = await makeGroups(name, COUNT, 'CASCADE')
      site.file('ids.csv', range(1, COUNT))
    })
    afterEach(async () => site.drop())
    const archived = async (): Promise<number> => site.count('ra')
    const config = (batch_size: number) => site.config({ children: CHILD_SETTING, batch_size })

    it(`that is killed ${KILLS} times at any moment loses no row of any table, and parts none from its parent`, async () => {
      const before = await wholeGroups(site)
      const start = seed()
      const random = randomFrom(start)
      const path = config(40)
      let kills = 0
      for (let isMoving = true; kills < KILLS && isMoving;) {
        isMoving = await killOnceMoving(startArchiver(['rows', 'run', path]), archived, random)
        expect(await wholeGroups(site)).toEqual(before)
        if (isMoving) kills += 1
      }
      console.log(`${name}: ${kills} kills, ${await archived()} of ${COUNT} groups passed, SEED=${start}`)
      const last = await site.run()
      expect(last.code, last.err + last.out).toBe(0)
      expect(await wholeGroups(site)).toEqual(before)
      expect(await standing(site)).toBe(`0+${COUNT} 0+${2 * COUNT} 0+${4 * COUNT}`)
    }, 10_800_000)

    it.each(STEPS)(
      'that is killed at "%s" of its second batch has moved the first one, or both',
      async (step) => {
        const before = await wholeGroups(site)
        const path = config(COUNT / 4)
        // Steps of a table are taken three times a batch.
        const nth = step.includes('table') ? 5 : 2
        const child = spawn(process.execPath, ['dist/main.js', 'rows', 'run', path], {
          stdio: 'ignore',
          env: { ...process.env, NODE_OPTIONS: '--import=./test/crash/hook.mjs', CRASH_AT: `${step}#${nth}` },
        })
        expect(await new Promise((resolve) => child.once('close', (_code, signal) => resolve(signal)))).toBe(
          'SIGKILL',
        )
        expect(await wholeGroups(site)).toEqual(before)
        expect(await archived()).toBe(step === 'rows-group: committed' ? COUNT / 2 : COUNT / 4)
        const last = await site.run()
        expect(last.code, last.err + last.out).toBe(0)
        expect(await wholeGroups(site)).toEqual(before)
        expect(await site.count('r')).toBe(0)
      },
      120_000,
    )

    it('that commits children before their parents parts them when it is killed, which this test finds', async () => {
      const before = await wholeGroups(site)
      for (let kill = 0; kill < 30 && (await wholeGroups(site)).withoutParent === 0; kill++) {
        const child = spawn(
          process.execPath,
          ['--import', 'tsx', 'test/rows/broken-group-mover.ts', site.url],
          { stdio: 'ignore' },
        )
        const ended = new Promise((resolve) => child.once('close', resolve))
        await killOnceMoving({ child, ended }, archived)
      }
      expect(await wholeGroups(site)).not.toEqual(before)
    }, 240_000)

    it('whose answer to a COMMIT is lost counts the batch and its children once', async () => {
      const before = await wholeGroups(site)
      const address = new URL(site.url)
      const proxy = await BreakingProxy.before(Number(address.port), /COMMIT\0?$/, 2, true, 10_000)
      address.port = String(proxy.port)
      const outcome = await site.move({
        places: {
          source: { url: address.href, password: undefined, timeout: 10_000 },
          archive: undefined,
          log: undefined,
        },
        children: CHILDREN,
        batchSize: COUNT / 4,
      })
      await proxy.close()
      expect(proxy.broken).toBe(1)
      expect(outcome).toMatchObject({
        status: 'COMPLETED',
        counts: { requested: COUNT, moved: COUNT, childrenDeleted: 6 * COUNT },
      })
      expect(await wholeGroups(site)).toEqual(before)
    })

    it('while others add, change and delete children loses no version that was live', async () => {
      const writing = Array.from({ length: 60 }, (_, turn) => turn).map(async (turn) => {
        const rid = 1 + ((turn * 97) % COUNT)
        const id = 1_000_000 + turn
        // Fails where its parent is gone; then it was never live.
        await site.side(`INSERT INTO c VALUES (${id}, ${rid}, 'new ${turn}')`).then(
          () => site.seen.set(String(id), `new ${turn}`),
          () => undefined,
        )
        await site
          .side(`UPDATE c SET t = 'changed ${turn}' WHERE t LIKE 'item%' AND id = ${rid * 10 + 1}`)
          .catch(() => undefined)
      })
      const [outcome] = await Promise.all([site.move({ children: CHILDREN, batchSize: 50 }), ...writing])
      expect(outcome.error).toBeUndefined()
      site.seen.delete('') // of the inserts
      expect(site.seen.size).toBeGreaterThan(0)
      for (const [id, text] of site.seen)
        expect([
          ...(await site.rows(`SELECT t FROM c WHERE id = ${id}`)),
          ...(await site.rows(`SELECT t FROM ca WHERE id = ${id}`)),
        ]).toEqual([{ t: text }])
      expect(await site.count('c')).toBe(0)
      expect(await wholeGroups(site)).toMatchObject({ inBoth: 0, withoutParent: 0 })
    }, 120_000)
  })
}
