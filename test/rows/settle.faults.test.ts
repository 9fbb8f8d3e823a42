import { spawnSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Name, DIALECTS, range, runArchiver, serverAnswers, Site } from './servers.ts'

const there = new Set<Name>()
for (const name of DIALECTS) if (await serverAnswers(name)) there.add(name)

/** The row in conflict, as it is live and as it is archived. */
const LIVE = 'row 5'
const ARCHIVED = 'older'

describe.each(DIALECTS)('a conflict in %s whose settling is killed', (name) => {
  if (!there.has(name)) console.warn(`SKIPPED: no ${name} server: settling is not killed`)

  let site: Site
  let other: Site
  beforeEach(async () => {
    site = await Site.make(name)
    other = await Site.make(name)
    await site.fill(10)
    await other.fill(0)
  })
  afterEach(async () => {
    await site.drop()
    await other.drop()
  })

  const ARCHIVE_COMMITTED = 'rows-settle: archive committed'
  /** Two databases of one MySQL server are one server. */
  const steps = (keep: 'archive' | 'live'): readonly string[] => [
    'rows-settle: to be committed',
    ...(keep === 'live' && name === 'postgres' ? [ARCHIVE_COMMITTED] : []),
    'rows-settle: committed',
  ]
  const CASES = (['archive', 'live'] as const).flatMap((keep) =>
    steps(keep).flatMap((step) =>
      (keep === 'live' ? [true, false] : [true]).map((hasOwnLog) => ({ keep, step, hasOwnLog })),
    ),
  )

  it.skipIf(!there.has(name)).each(CASES)(
    'at $step, is settled by the next try as was asked: --keep $keep, log elsewhere: $hasOwnLog',
    async ({ keep, step, hasOwnLog }) => {
      const isOne = step !== ARCHIVE_COMMITTED
      const archive = isOne ? site : other
      await archive.sql(`INSERT INTO ra (id, t, n, d) VALUES (5, '${ARCHIVED}', 1, 1)`)
      site.file('ids.csv', range(1, 10))
      const config = site.config({
        ...(hasOwnLog ? { log: other.url } : {}),
        ...(isOne ? {} : { archive_table: '', archive: { url: other.url, table: 'ra' } }),
      })
      expect((await site.run()).code).toBe(1)
      const words = ['rows', 'conflicts', '--keep', keep, '--config', config]
      const killed = spawnSync(process.execPath, ['dist/main.js', ...words], {
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: '--import=./test/crash/hook.mjs', CRASH_AT: `${step}#1` },
      })
      expect(killed.signal, killed.stderr).toBe('SIGKILL')
      const log = hasOwnLog ? other : site
      const open = () => log.count('row_conflicts', 'resolution IS NULL')
      const versions = async () => ({
        live: (await site.rows('SELECT t FROM r WHERE id = 5')).map(({ t }) => t),
        archived: (await archive.rows('SELECT t FROM ra WHERE id = 5')).map(({ t }) => t),
      })
      // A conflict is closed only where one version is left.
      if ((await open()) === 0) expect((await versions()).live).toEqual([])
      const again = await runArchiver(words)
      expect({ code: again.code, err: again.err }).toEqual({ code: 0, err: '' })
      expect(await versions()).toEqual({ live: [], archived: [keep === 'live' ? LIVE : ARCHIVED] })
      expect(await open()).toBe(0)
    },
  )

  it.skipIf(!there.has(name))('is not settled where a version is another by then (control)', async () => {
    await site.sql(`INSERT INTO ra (id, t, n, d) VALUES (5, '${ARCHIVED}', 1, 1)`)
    site.file('ids.csv', range(1, 10))
    const config = site.config({ log: other.url })
    expect((await site.run()).code).toBe(1)
    await site.sql('DELETE FROM r WHERE id = 5', "UPDATE ra SET t = 'newer' WHERE id = 5")
    for (const keep of ['live', 'archive']) {
      const { code, err } = await runArchiver(['rows', 'conflicts', '--keep', keep, '--config', config])
      expect(code).toBe(1)
      expect(err).toContain('row 5 has changed since the conflict was found')
    }
    expect(await other.count('row_conflicts', 'resolution IS NULL')).toBe(1)
  })
})
