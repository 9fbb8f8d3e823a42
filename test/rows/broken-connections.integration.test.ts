import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Gate } from '../../src/rows/gate.ts'
import { BreakingProxy } from './breaking-proxy.ts'
import { DIALECTS, range, serverAnswers, Site } from './servers.ts'

/** Asks for an operator's word before each batch, as the throttle does. */
const asking: Gate = {
  ready: () => Promise.resolve(),
  pass: async (_session, control) => {
    await control()
    return { lag: 0, hll: 0, throttledMs: 0, reason: undefined, cause: undefined, end: undefined }
  },
  rest: () => 0,
  lags: new Map(),
  close: () => Promise.resolve(),
}

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: no connection is broken there`)

  describe.skipIf(!isThere)(`a move of ${name} rows whose connection breaks`, () => {
    let site: Site
    beforeEach(async () => {
      site = await Site.make(name)
      await site.fill(600)
      site.file('ids.csv', range(1, 300))
    })
    afterEach(async () => site.drop())
    const through = async (
      word: RegExp,
      nth: number,
      more: Parameters<Site['move']>[0],
      broken: 'source' | 'log' = 'source',
    ) => {
      const address = new URL(site.url)
      const proxy = await BreakingProxy.before(Number(address.port), word, nth, true, 10_000)
      address.port = String(proxy.port)
      const place = { url: address.href, password: undefined, timeout: 10_000 }
      const direct = { ...place, url: site.url }
      const places = broken === 'source' ? { source: place, log: undefined } : { source: direct, log: place }
      try {
        return await site.move({ places: { archive: undefined, ...places }, ...more })
      } finally {
        await proxy.close()
        expect(proxy.broken).toBe(1)
      }
    }
    const WALK = { where: 'id <= 300' }
    const FILE = {}

    it.each([
      { at: 'the walk along the key', word: /ORDER BY t\..* LIMIT/, nth: 2, more: WALK },
      {
        at: 'the count of the rows',
        word: /SELECT count\(\*\) AS n FROM .* WHERE true/i,
        nth: 1,
        more: WALK,
      },
      { at: "an operator's word", word: /SELECT control/, nth: 2, more: { ...FILE, gate: asking } },
      { at: 'the begin of a file', word: /INSERT INTO .*file_processing_logs/, nth: 1, more: FILE },
      { at: 'the end of a file', word: /UPDATE .*file_processing_logs/, nth: 1, more: FILE },
      {
        at: 'the look for finished batches',
        word: /first_line.*FROM .*batch_processing_logs/s,
        nth: 1,
        more: FILE,
      },
      { at: 'the look for open conflicts', word: /SELECT DISTINCT c\.table_name/, nth: 1, more: FILE },
      { at: 'the end of the process', word: /UPDATE [^ ]*\..process_logs. SET/, nth: 1, more: FILE },
    ])('at $at connects again and goes on', async ({ word, nth, more }) => {
      const before = await site.whole()
      const outcome = await through(word, nth, more)
      expect(outcome, outcome.error?.message).toMatchObject({ status: 'COMPLETED', counts: { moved: 300 } })
      expect(await site.whole()).toEqual({ ...before, both: 0 })
      expect(await site.rows('SELECT status FROM process_logs')).toEqual([{ status: 'COMPLETED' }])
      const files = await site.rows('SELECT DISTINCT status FROM file_processing_logs')
      expect(files).toEqual([{ status: 'COMPLETED' }])
    })

    it.each([
      { at: "an operator's word", word: /SELECT control/, nth: 2, more: { gate: asking } },
      { at: 'the row of a finished batch', word: /INSERT INTO .*batch_processing_logs/, nth: 2, more: FILE },
      { at: 'the end of a file', word: /UPDATE .*file_processing_logs. SET status/, nth: 1, more: FILE },
    ])('to the log tables alone, at $at, connects again and goes on', async ({ word, nth, more }) => {
      const before = await site.whole()
      const outcome = await through(word, nth, more, 'log')
      expect(outcome, outcome.error?.message).toMatchObject({ status: 'COMPLETED', counts: { moved: 300 } })
      expect(await site.whole()).toEqual({ ...before, both: 0 })
      expect(await site.rows('SELECT status FROM process_logs')).toEqual([{ status: 'COMPLETED' }])
    })

    it('ends where it finds another archive when it is back', async () => {
      let passes = 0
      const gate: Gate = {
        ...asking,
        pass: async (session, control, signal) => {
          passes += 1
          if (passes === 2) await site.sql('ALTER TABLE ra ADD COLUMN more INT DEFAULT 7')
          return asking.pass(session, control, signal)
        },
      }
      const outcome = await through(/SELECT control/, 2, { gate })
      expect(outcome).toMatchObject({ status: 'FAILED', error: { code: 'ROWS_REFUSED' } })
      expect(outcome.error?.message).toMatch(/is not what it was when the run began/)
      expect([await site.count('r'), await site.count('ra')]).toEqual([500, 100])
    })
  })
}
