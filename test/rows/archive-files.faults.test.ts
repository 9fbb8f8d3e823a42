import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { randomFrom, seed } from '../crash/random.ts'
import { compileShim } from '../crash/shim.ts'
import { BreakingProxy } from './breaking-proxy.ts'
import { FilesSite } from './files-site.ts'
import { killOnceMoving } from './killing.ts'
import { DIALECTS, range, serverAnswers, Site, startArchiver } from './servers.ts'

/** ARCHIVER_ROWS_KILLS=300 ARCHIVER_FILES_COUNT=100000 is the long form. */
const KILLS = Number(process.env['ARCHIVER_ROWS_KILLS'] ?? 3)
const COUNT = Number(process.env['ARCHIVER_FILES_COUNT'] ?? 4000)
const FEW = 400

/** Moments of a batch, as they stand in the source. */
const STEPS = ['src/rows/archive-files/move-to-files.ts', 'src/rows/archive-files/archive-folder.ts'].flatMap(
  (file) => [...readFileSync(file, 'utf8').matchAll(/\bstep\('([^']+)'\)/g)].map(([, name]) => name!),
)
const RESTORE_STEPS = ['rows-restore: written', 'rows-restore: committed']
const PLATFORM_STEPS = ['create-file: temporary synced', 'create-file: published']

const { ENOSPC, EIO } = constants.errno
/** System calls of a batch's file, and how each fails; 0 and -2: the process is killed before and after it; -1: the disk is full in the middle. */
const FAULTS = ['open', 'write', 'fsync', 'link', 'unlink', 'rename'].map((call, at) => ({
  call,
  codes: [0, -2, at % 2 === 0 ? ENOSPC : EIO, ...(call === 'write' ? [-1] : [])],
}))
/** Times of each that fail. */
const TIMES = Number(process.env['ARCHIVER_FILES_FAULTS'] ?? 3)
const shim = compileShim('system calls that fail in an archive of files')

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: moves into files are not killed there`)

  describe.skipIf(!isThere)(`a move of ${name} rows into files`, () => {
    let site: Site
    let files: FilesSite
    let config: string
    beforeEach(async () => {
      site = await Site.make(name)
      files = new FilesSite(site)
      config = files.config()
    })
    afterEach(() => site.drop())
    const fill = async (count: number): Promise<void> => {
      await site.fill(count)
      site.file('ids.csv', range(1, count))
    }
    /** Runs to the end; then each row stands in exactly one file that has its place, and a restore gives all back as they were. */
    const finish = async (count: number, before: { rows: number; sum: string }): Promise<void> => {
      const last = await site.run()
      expect(last.code, last.err + last.out).toBe(0)
      expect(await site.count('r')).toBe(0)
      const placed = files.archived('placed')
      expect([placed.size, [...placed.values()].filter((texts) => texts.length > 1).length]).toEqual([
        count,
        0,
      ])
      const verified = await startArchiver(['rows', 'verify', config]).ended
      expect(verified.code, verified.err).toBe(0)
      const restored = await startArchiver(['rows', 'restore', config]).ended
      expect(restored.code, restored.err).toBe(0)
      expect(await site.whole()).toMatchObject({ rows: before.rows, sum: before.sum })
    }
    const whole = async (): Promise<{ rows: number; sum: string }> => {
      await site.sql('CREATE TABLE IF NOT EXISTS ra AS SELECT * FROM r WHERE 1 = 0')
      return site.whole()
    }
    const run = (env: Readonly<Record<string, string | undefined>>, word = 'run') =>
      spawnSync(process.execPath, ['dist/main.js', 'rows', word, config], {
        encoding: 'utf8',
        env: { ...process.env, ...env },
      })

    it(`that is killed ${KILLS} times at any moment loses no row, and archives none twice`, async () => {
      await fill(COUNT)
      const before = await whole()
      const random = randomFrom(seed())
      const gone = async (): Promise<number> => COUNT - (await site.count('r'))
      let kills = 0
      for (let isMoving = true; kills < KILLS && isMoving;) {
        isMoving = await killOnceMoving(startArchiver(['rows', 'run', config]), gone, random)
        expect(await files.lost(COUNT)).toEqual([])
        if (isMoving) kills += 1
      }
      console.log(`${name}: ${kills} kills, ${await gone()} of ${COUNT} ids passed, SEED=${seed()}`)
      await finish(COUNT, before)
    }, 10_800_000)

    it.each([...STEPS, ...PLATFORM_STEPS])(
      'that is killed at "%s" of its second batch has lost nothing',
      async (step) => {
        await fill(FEW)
        const before = await whole()
        const { signal } = run({
          NODE_OPTIONS: '--import=./test/crash/hook.mjs',
          CRASH_AT: `${step}#2`,
        })
        expect(signal).toBe('SIGKILL')
        expect(await files.lost(FEW)).toEqual([])
        // Until the commit the rows are live; from then on a file has them.
        const isPast = ['rows-files: committed', 'rows-files: in place'].includes(step)
        expect(await site.count('r')).toBe(isPast ? FEW - 100 : FEW - 50)
        await finish(FEW, before)
      },
      120_000,
    )

    it.each(RESTORE_STEPS)(
      'whose restore is killed at "%s" of its second file has put back whole files',
      async (step) => {
        await fill(FEW)
        const before = await whole()
        expect((await site.run()).code).toBe(0)
        const { signal } = run(
          { NODE_OPTIONS: '--import=./test/crash/hook.mjs', CRASH_AT: `${step}#2` },
          'restore',
        )
        expect(signal).toBe('SIGKILL')
        expect(await site.count('r')).toBe(step === 'rows-restore: committed' ? 100 : 50)
        expect(files.archived('placed').size).toBe(FEW)
        const restored = await startArchiver(['rows', 'restore', config]).ended
        expect(restored.code, restored.err).toBe(0)
        expect(await site.whole()).toMatchObject({ rows: before.rows, sum: before.sum })
      },
    )

    it.skipIf(shim === undefined).each(FAULTS)(
      'whose $call fails, or is the last thing that it does, has lost nothing',
      async ({ call, codes }) => {
        await fill(FEW)
        const before = await whole()
        const hit = join(site.folder, 'hit')
        let faults = 0
        for (const code of codes)
          for (let nth = 1; nth <= TIMES && (await site.count('r')) > 0; nth++) {
            rmSync(hit, { force: true })
            const fault = `${call}:${code}:${nth}:${files.folder}/`
            run({ LD_PRELOAD: shim, FAULT: fault, FAULT_HIT: hit, UV_THREADPOOL_SIZE: '1' })
            if (!existsSync(hit)) break
            faults += 1
            expect(await files.lost(FEW), fault).toEqual([])
          }
        expect(faults).toBeGreaterThan(1)
        await finish(FEW, before)
      },
      240_000,
    )

    it.skipIf(shim === undefined)(
      'syncs the file and its name before the commit, and the new place after it',
      async () => {
        await fill(FEW)
        const [trace, steps] = [join(site.folder, 'trace'), join(site.folder, 'steps')]
        run({
          LD_PRELOAD: shim,
          TRACE: trace,
          NODE_OPTIONS: '--import=./test/crash/hook.mjs',
          STEPS_TO: steps,
        })
        const named = readFileSync(steps, 'utf8').trim().split('\n')
        const calls = readFileSync(trace, 'utf8')
          .split('\n')
          .map((line) => (line === `write ${steps}` ? `step ${named.shift() ?? ''}` : line))
          .map((line) =>
            line
              .replaceAll(files.folder, '')
              .replaceAll(/\.archiver-\w+\.tmp/g, 'TMP')
              .replaceAll(/\S*~\S*/g, 'FILE'),
          )
          .filter((line) => /^(?:fsync|link|rename) |^step rows-files/.test(line))
        const from = calls.indexOf('step rows-files: locked')
        const batch = calls.slice(from, calls.indexOf('step rows-files: locked', from + 1))
        const at = (pattern: RegExp): number => batch.findIndex((line) => pattern.test(line))
        const order = [
          at(/^fsync .*\/pending\/TMP/),
          at(/^link .*TMP/),
          at(/^fsync .*\/pending$/),
          at(/^step rows-files: read back/),
          at(/^step rows-files: committed/),
          at(/^rename FILE/),
          batch.findLastIndex((line) => /^fsync .*\/\d+-\w+$/.test(line)),
        ]
        expect(order).not.toContain(-1)
        expect(order).toEqual(order.toSorted((a, b) => a - b))
      },
    )

    it('that commits the delete before the file is written loses rows when it is killed, which this test finds', async () => {
      await fill(COUNT)
      const gone = async (): Promise<number> => COUNT - (await site.count('r'))
      for (let kill = 0; kill < 30 && (await files.lost(COUNT)).length === 0; kill++) {
        const words = [
          '--import',
          'tsx',
          'test/rows/broken-file-mover.ts',
          site.url,
          join(files.folder, `${site.schema}.r`),
        ]
        const child = spawn(process.execPath, words, { stdio: 'ignore' })
        await killOnceMoving({ child, ended: new Promise((resolve) => child.once('close', resolve)) }, gone)
      }
      expect((await files.lost(COUNT)).length).toBeGreaterThan(0)
    }, 120_000)

    it.each([
      { what: 'answer to a COMMIT', arrives: true },
      { what: 'COMMIT', arrives: false },
    ])('whose $what is lost archives the batch once', async ({ arrives }) => {
      await fill(1000)
      const before = await whole()
      const address = new URL(site.url)
      const proxy = await BreakingProxy.before(Number(address.port), /COMMIT\0?$/, 2, arrives, 10_000)
      address.port = String(proxy.port)
      const outcome = await site.move({
        ...files.options(),
        places: {
          source: { url: address.href, password: undefined, timeout: 10_000 },
          archive: undefined,
          log: undefined,
        },
      })
      await proxy.close()
      expect(proxy.broken).toBe(1)
      expect(outcome).toMatchObject({ status: 'COMPLETED', counts: { requested: 1000, moved: 1000 } })
      // A batch that was done again left the file of its first try.
      expect(files.files('pending').length).toBeLessThanOrEqual(arrives ? 0 : 1)
      await finish(1000, before)
    })

    it('while others insert, update and delete the same rows keeps every version that was live', async () => {
      await fill(3000)
      const writers = Array.from({ length: 2 }, async (_, at) => {
        for (let turn = 0; turn < 60; turn++) {
          const id = 1 + ((turn * 97 + at * 1511) % 3000)
          await site.side(`UPDATE r SET t = 'by writer ${at} ${turn}', n = ${turn} WHERE id = ${id}`)
        }
      })
      const [outcome] = await Promise.all([site.move({ ...files.options(), batchSize: 200 }), ...writers])
      expect(outcome.status).toBe('COMPLETED')
      const archived = files.archived('placed')
      expect([archived.size, await site.count('r')]).toEqual([3000, 0])
      for (const [id, text] of site.seen) expect(archived.get(id)).toEqual([text])
    })
  })
}
