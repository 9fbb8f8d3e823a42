import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compileShim } from '../../crash/shim.ts'
import { FilesSite } from '../files-site.ts'
import { DIALECTS, range, runArchiver, serverAnswers, Site, startArchiver } from '../servers.ts'

const shim = compileShim('what a power cut leaves of pending files')

/** Whether each name that was removed from a folder stays removed, whatever happens next. */
const isDurable = (calls: readonly string[], folder: string): boolean => {
  const removed = calls.findLastIndex((call) => call.startsWith(`unlink ${folder}/`))
  return removed >= 0 && calls.slice(removed).includes(`fsync ${folder}`)
}

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: pending files are not removed there`)

  describe.skipIf(!isThere)(`a file of ${name} rows that a kill left pending after its commit`, () => {
    it('gets its place whatever was cleaned up meanwhile', async () => {
      const site = await Site.make(name)
      try {
        const files = new FilesSite(site)
        await site.fill(100)
        await site.sql('CREATE TABLE other (id INT PRIMARY KEY)')
        site.file('ids.csv', range(1, 100))
        const killed = spawnSync(process.execPath, ['dist/main.js', 'rows', 'run', files.config()], {
          env: {
            ...process.env,
            NODE_OPTIONS: '--import=./test/crash/hook.mjs',
            CRASH_AT: 'rows-files: committed#1',
          },
        })
        expect(killed.signal).toBe('SIGKILL')
        expect([await site.count('r'), files.files('pending').length]).toEqual([50, 1])
        const old = name === 'mysql' ? "'2020-01-01'" : "timestamptz '2020-01-01'"
        await site.sql(`UPDATE process_logs SET status = 'TERMINATED', end_time = ${old}`)
        const cleanup = async (config: string): Promise<string> => {
          const { code, out, err } = await runArchiver(['rows', 'cleanup', config, '--older-than', '9'])
          expect(code, err).toBe(0)
          return out
        }
        // Of another table, of a table as archive, and of a disk that is not mounted.
        expect(await cleanup(files.config({ table: 'other' }))).toContain(
          '0 executions with 0 batches removed',
        )
        expect(await cleanup(site.config())).toContain('0 executions with 0 batches removed')
        const [path, aside] = [files.folder, `${files.folder}.aside`]
        renameSync(path, aside)
        expect(await cleanup(files.config())).toContain('0 executions with 0 batches removed')
        renameSync(aside, path)
        expect([await site.count('batch_processing_logs'), files.files('pending').length]).toEqual([1, 1])
        expect(await cleanup(files.config())).toContain('1 execution with 1 batch removed')
        expect([files.files('pending'), files.files('placed').length]).toEqual([[], 1])
        expect(await files.lost(100)).toEqual([])
      } finally {
        await site.drop()
      }
    }, 60_000)
  })

  describe.skipIf(!isThere || shim === undefined)(`a pending file of ${name} rows that stayed live`, () => {
    let site: Site
    let files: FilesSite
    beforeEach(async () => {
      site = await Site.make(name)
      files = new FilesSite(site)
    })
    afterEach(() => site.drop())

    it('is removed by cleanup for good: a power cut does not bring it back', async () => {
      await site.fill(100)
      const config = files.config({ files: undefined, where: 'id <= 100' })
      for (const word of ['run', 'restore'])
        expect((await startArchiver(['rows', word, config]).ended).code).toBe(0)
      const [placed = ''] = files.files('placed')
      const pending = join(dirname(dirname(placed)), 'pending')
      cpSync(placed, join(pending, `99-one~${basename(placed)}`))
      const trace = join(site.folder, 'trace')
      const { stdout } = spawnSync(
        process.execPath,
        ['dist/main.js', 'rows', 'cleanup', config, '--older-than', '9'],
        {
          encoding: 'utf8',
          env: { ...process.env, LD_PRELOAD: shim, TRACE: trace, UV_THREADPOOL_SIZE: '1' },
        },
      )
      expect(stdout).toContain('1 pending file removed')
      const calls = readFileSync(trace, 'utf8').split('\n')
      expect(isDurable(calls, pending)).toBe(true)
      // Control: without the folder's sync this test would see it.
      expect(
        isDurable(
          calls.filter((call) => call !== `fsync ${pending}`),
          pending,
        ),
      ).toBe(false)
    })
  })
}
