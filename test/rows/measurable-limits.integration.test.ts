import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DIALECTS, range, serverAnswers, Site } from './servers.ts'

interface Limit {
  readonly throttle: Readonly<Record<string, unknown>>
  readonly words: readonly string[]
  readonly text: RegExp
}

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: no limit is measured there`)

  describe.skipIf(!isThere)(`a limit of rows.throttle on ${name}`, () => {
    let site: Site
    beforeEach(async () => {
      site = await Site.make(name)
      await site.fill(10)
      site.file('ids.csv', range(1, 10))
    })
    afterEach(async () => site.drop())

    const run = async (throttle: Readonly<Record<string, unknown>>, ...words: string[]) => {
      site.config({ throttle: { max_pause: '1s', check_interval: '100ms', ...throttle } })
      const { code, out, err } = await site.run(...words)
      return { code, text: out + err, live: await site.count('r') }
    }

    it.each<Limit>(
      name === 'mysql'
        ? [
            { throttle: { max_replica_lag: '5s' }, words: [], text: /max_replica_lag .* has no replica/ },
            { throttle: {}, words: ['--max-lag', '5s'], text: /--max-lag\) has no replica/ },
            {
              throttle: { max_load: { Threads_runing: 50 } },
              words: [],
              text: /max_load: Threads_runing is/,
            },
            {
              throttle: { critical_load: { Threads_runing: 0 } },
              words: [],
              text: /critical_load: Threads_ru/,
            },
            {
              throttle: { critical_load: { Ssl_version: 0 } },
              words: [],
              text: /critical_load: Ssl_version/,
            },
            { throttle: { query: 'SELECT nothing' }, words: [], text: /query: Unknown column 'nothing'/ },
            { throttle: { query: "SELECT 'abc'" }, words: [], text: /query: "abc" is not a number/ },
          ]
        : [
            {
              throttle: { max_load: { Threads_connected: 50 } },
              words: [],
              text: /max_load: Threads_connected is .*PostgreSQL has Threads_running alone/,
            },
            {
              throttle: { critical_load: { Threads_runing: 0 } },
              words: [],
              text: /critical_load: Threads_runing is/,
            },
            { throttle: { query: 'SELECT nothing' }, words: [], text: /query: column "nothing" does not/ },
            { throttle: { query: "SELECT 'abc'" }, words: [], text: /query: "abc" is not a number/ },
          ],
    )('that cannot be measured is refused before anything moves: $throttle $words', async (limit) => {
      expect(await run(limit.throttle, ...limit.words)).toEqual({
        code: 78,
        text: expect.stringMatching(limit.text) as string,
        live: 10,
      })
    })

    it('counts the sessions that run a statement, by this name on each server', async () => {
      expect(await run({ max_load: { Threads_running: 1_000_000 } })).toMatchObject({ code: 0, live: 0 })
    })
    it('holds a batch back where more of them run', async () => {
      const held = await run({ max_load: { threads_running: 0 } })
      expect(held).toMatchObject({ code: 1, live: 10 })
      expect(held.text).toMatch(/held back for too long: threads_running \d+ > 0/)
    })

    it('may be a comparison', async () => {
      const held = await run({ query: 'SELECT count(*) > 5 FROM r' })
      expect(held).toMatchObject({ code: 1, live: 10 })
      expect(held.text).toMatch(/held back for too long: query 1 > 0/)
      expect(await run({ query: 'SELECT count(*) > 50 FROM r' })).toMatchObject({ code: 0, live: 0 })
    })
  })
}
