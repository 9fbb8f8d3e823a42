import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compileShim } from '../../crash/shim.ts'
import { FilesSite } from '../files-site.ts'
import { DIALECTS, serverAnswers, Site, startArchiver } from '../servers.ts'

const shim = compileShim('what a power cut leaves of pending files')

/** Whether each name that was removed from a folder stays removed, whatever happens next. */
const isDurable = (calls: readonly string[], folder: string): boolean => {
  const removed = calls.findLastIndex((call) => call.startsWith(`unlink ${folder}/`))
  return removed >= 0 && calls.slice(removed).includes(`fsync ${folder}`)
}

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: pending files are not removed there`)

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
      expect(stdout).toContain('1 pending files removed')
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
