import { relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FilesSite } from './files-site.ts'
import { DIALECTS, range, runArchiver, serverAnswers, Site } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: no flag is tried there`)

  describe.skipIf(!isThere)(`a command of rows on ${name}`, () => {
    let site: Site
    let config: string
    beforeEach(async () => {
      site = await Site.make(name)
      await site.fill(10)
      site.file('ids.csv', range(1, 10))
      config = site.config()
    })
    afterEach(async () => site.drop())
    const rows = (...words: string[]) => runArchiver(['rows', ...words, '--config', config])

    it.each([
      { words: ['conflicts', '--keep', 'newest'], text: /--keep: "newest" is none of/ },
      { words: ['cleanup', '--older-than', 'soon'], text: /--older-than: "soon" is not a number of days/ },
      { words: ['cleanup', '--older-than', '9h'], text: /--older-than: "9h" is not a number of days/ },
      { words: ['pause', 'abc'], text: /"abc" is not the number of an execution/ },
      { words: ['resume', '0'], text: /"0" is not the number of an execution/ },
      { words: ['cancel', '1.5'], text: /"1.5" is not the number of an execution/ },
    ])('takes no value that means nothing, before it looks at the log: $words', async ({ words, text }) => {
      expect(await rows(...words)).toMatchObject({ code: 64, err: expect.stringMatching(text) as string })
    })

    it.each([
      { words: ['--on-batch-error', 'later'], text: /--on-batch-error: "later" is neither/ },
      { words: ['--sleep', '30d'], text: /--sleep: "30d": must be a duration .* 20d at most/ },
      { words: ['--run-time', 'long'], text: /--run-time: "long": must be a duration/ },
      { words: ['--batch-size', '10001'], text: /--batch-size: 10001 is more than 10000/ },
    ])('refuses a flag of a run before it says that it began: $words', async ({ words, text }) => {
      expect(await rows('run', ...words)).toMatchObject({
        code: 64,
        out: '',
        err: expect.stringMatching(text) as string,
      })
    })

    it('names a conflict that is not there', async () => {
      await site.sql('INSERT INTO ra SELECT * FROM r WHERE id = 3', "UPDATE ra SET t = 'other'")
      expect(await rows('run')).toMatchObject({ code: 1 })
      for (const words of [[], ['--keep', 'live']])
        expect(await rows('conflicts', '--key', '4', ...words)).toMatchObject({
          code: 1,
          err: expect.stringMatching(/no open conflict of the key 4 \[NOT_FOUND\]/) as string,
        })
      expect(await rows('conflicts', '--key', '3', '--keep', 'live')).toMatchObject({ code: 0 })
      expect(await rows('conflicts', '--key', '3', '--keep', 'live')).toMatchObject({ code: 1 })
    })

    it.each(['conflicts', 'cleanup', 'status'])(
      '(%s) says that nothing was moved where a first run was killed before it had made its last log table',
      async (word) => {
        await rows('run', '--limit-batches', '1')
        await site.sql('DROP TABLE row_conflicts')
        expect(await rows(word)).toMatchObject({
          code: 1,
          err: expect.stringMatching(/no rows were moved yet: .*\[NOT_FOUND\]/) as string,
        })
      },
    )

    describe('whose archive is a folder', () => {
      let files: FilesSite
      beforeEach(async () => {
        files = new FilesSite(site)
        config = files.config()
        expect(await rows('run')).toMatchObject({ code: 0 })
      })

      it('settles no conflicts', async () => {
        expect(await rows('conflicts', '--keep', 'live')).toMatchObject({
          code: 64,
          err: expect.stringMatching(/--keep: the archive is a folder of files/) as string,
        })
      })

      it('restores a file by its path from here', async () => {
        const [file = ''] = files.files()
        const restored = await rows('restore', '--archive-file', relative(process.cwd(), file))
        expect(restored).toMatchObject({ code: 0, out: expect.stringMatching(/^10 rows restored/) as string })
      })

      it('does not call a folder that is not there verified', async () => {
        config = files.config({ archive: `${files.url}-2` })
        expect(await rows('verify')).toMatchObject({
          code: 1,
          err: expect.stringMatching(/archive-2 is not there: nothing was compared/) as string,
        })
      })
    })
  })
}
