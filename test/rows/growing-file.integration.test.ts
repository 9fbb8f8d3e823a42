import { appendFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DIALECTS, range, serverAnswers, Site } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: no file grows there`)

  describe.skipIf(!isThere)(`a file of ids of ${name} rows whose last line has no end`, () => {
    let site: Site
    let path: string
    beforeEach(async () => {
      site = await Site.make(name)
      await site.fill(200)
      path = join(site.folder, 'ids.csv')
    })
    afterEach(async () => site.drop())
    /** As it was written so many seconds ago. */
    const write = (text: string, seconds: number): void => {
      writeFileSync(path, text)
      const then = Date.now() / 1000 - seconds
      utimesSync(path, then, then)
    }

    it('moves nothing where it is still being written, and all of it when it is complete', async () => {
      const said: string[] = []
      writeFileSync(path, '1\n2\n12')
      const growing = new Promise((resolve) => setTimeout(resolve, 1000)).then(() =>
        appendFileSync(path, '3\n'),
      )
      const outcome = await site.move({ warn: (text) => void said.push(text), quietMs: 2000 })
      await growing
      expect(outcome).toMatchObject({ status: 'PARTIAL', failedFiles: 1, counts: { moved: 0 } })
      expect(said.join()).toContain('ids.csv: its last line has no end and may be half written')
      expect(await site.count('r')).toBe(200)
      expect(await site.rows('SELECT status, error_message AS e FROM file_processing_logs')).toEqual([
        { status: 'FAILED', e: expect.stringContaining('changed while it was being read') as string },
      ])
      expect(await site.move()).toMatchObject({ status: 'COMPLETED', counts: { moved: 3 } })
      expect(await site.rows('SELECT id FROM ra ORDER BY id')).toEqual([
        { id: '1' },
        { id: '2' },
        { id: '123' },
      ])
    })

    it('has a row moved that it does not name where it is not waited for, which this test finds', async () => {
      writeFileSync(path, '1\n2\n12')
      expect(await site.move({ quietMs: 0 })).toMatchObject({ status: 'COMPLETED' })
      expect(await site.rows('SELECT id FROM ra ORDER BY id')).toEqual([
        { id: '1' },
        { id: '2' },
        { id: '12' },
      ])
    })

    it.each([
      { what: 'a comma', text: '12,' },
      { what: 'a blank', text: '12 ' },
      { what: 'quotes', text: '"12"' },
      { what: 'CRLF before', text: '1\r\n12' },
    ])('waits in the same way with $what', async ({ text }) => {
      writeFileSync(path, text)
      const began = performance.now()
      expect(await site.move({ quietMs: 1500 })).toMatchObject({ status: 'COMPLETED' })
      expect(performance.now() - began).toBeGreaterThan(1000)
    })

    it('is moved at once where nobody has written to it for a while', async () => {
      write('1\n2\n12', 60)
      const began = performance.now()
      expect(await site.move({ quietMs: 30_000 })).toMatchObject({
        status: 'COMPLETED',
        counts: { moved: 3 },
      })
      expect(performance.now() - began).toBeLessThan(10_000)
    })

    it.each(['1\n', '1\r\n', '1\r', 'id', ''])(
      'but has one, or no id, is not waited for: %j',
      async (text) => {
        writeFileSync(path, text)
        const began = performance.now()
        expect(await site.move({ quietMs: 30_000 })).toMatchObject({
          status: 'COMPLETED',
          counts: { moved: text.startsWith('1') ? 1 : 0 },
        })
        expect(performance.now() - began).toBeLessThan(10_000)
      },
    )

    it('is left alone when a signal comes while it is waited for', async () => {
      writeFileSync(path, '12')
      const stop = new AbortController()
      setTimeout(() => stop.abort('SIGTERM'), 500)
      const began = performance.now()
      const outcome = await site.move({ quietMs: 30_000, signal: stop.signal })
      expect(outcome).toMatchObject({ status: 'KILLED', counts: { moved: 0 } })
      expect(performance.now() - began).toBeLessThan(10_000)
      expect(await site.count('r')).toBe(200)
    })

    it('and that grows during its last batch is not called finished', async () => {
      site.file('ids.csv', range(1, 150))
      const outcome = await site.move({
        listener: (event) => {
          if (event.type === 'batch-started' && event.batch === 2) appendFileSync(path, '151\n')
        },
      })
      expect(outcome).toMatchObject({ status: 'PARTIAL', failedFiles: 1, counts: { moved: 150 } })
      expect(await site.move()).toMatchObject({
        status: 'COMPLETED',
        counts: { moved: 1, alreadyArchived: 150 },
      })
    })
  })
}
