import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSession } from '../../src/sql/open-session.ts'
import type { Session } from '../../src/sql/session.ts'
import { CHILD_SETTING, CHILDREN, makeGroups, standing, wholeGroups } from './group-site.ts'
import { DIALECTS, range, serverAnswers, type Site, runArchiver } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: children are not moved there`)

  describe.skipIf(!isThere).each(['RESTRICT', 'CASCADE'])(
    `${name} rows with children (ON DELETE %s)`,
    (rule) => {
      let site: Site
      beforeEach(async () => {
        site = await makeGroups(name, 50, rule)
        site.file('ids.csv', range(1, 50))
      })
      afterEach(async () => site.drop())
      // What does not depend on the rule is tried with one of them.
      const onceIt = (title: string, work: () => Promise<void>): void => {
        if (rule !== 'CASCADE') it(title, work)
      }
      const move = (more: Parameters<Site['move']>[0] = {}) =>
        site.move({ children: CHILDREN, batchSize: 20, ...more })
      const command = (...words: string[]) => {
        site.config({ children: CHILD_SETTING, batch_size: 20 })
        return site.run(...words)
      }

      it('go together, each row whole and once', async () => {
        const before = await wholeGroups(site)
        expect(await move()).toMatchObject({
          status: 'COMPLETED',
          counts: { requested: 50, moved: 50, deleted: 50, childrenInserted: 300, childrenDeleted: 300 },
        })
        expect(await standing(site)).toBe('0+50 0+100 0+200')
        expect(await wholeGroups(site)).toEqual(before)
        expect(
          await site.rows(
            'SELECT rows_deleted, children_deleted FROM batch_processing_logs ORDER BY batch_number',
          ),
        ).toEqual([
          { rows_deleted: '20', children_deleted: '120' },
          { rows_deleted: '20', children_deleted: '120' },
          { rows_deleted: '10', children_deleted: '60' },
        ])
      })

      it.each([
        { what: 'an item', sql: ["INSERT INTO ca VALUES (51, 5, 'older')"], table: 'c', key: '51' },
        {
          what: 'a note',
          sql: ["INSERT INTO ca VALUES (51, 5, 'item 1.5')", "INSERT INTO ga VALUES (51, 2, 'older')"],
          table: 'g',
          key: '["51","2"]',
        },
      ])(
        'stay whole where $what differs from its twin, until that is settled',
        async ({ sql, table, key }) => {
          await site.sql(...sql)
          const first = await command()
          expect(first.code).toBe(1)
          expect(first.out).toContain('1 held back')
          expect(await site.count('r')).toBe(1)
          expect(await site.count('c')).toBe(2)
          expect(await site.count('g')).toBe(4)
          expect(await site.count('ra', 'id = 5')).toBe(0)
          expect(await site.rows('SELECT table_name, row_key FROM row_conflicts')).toEqual([
            { table_name: `${site.schema}.${table}`, row_key: key },
          ])
          // Once more: the batch is looked at again, and the group stays.
          expect((await command()).code).toBe(1)
          expect(await site.count('r')).toBe(1)
          const config = site.config({ children: CHILD_SETTING, batch_size: 20 })
          const listed = await runArchiver(['rows', 'conflicts', config])
          expect(listed.out).toContain(`${site.schema}.${table} ${key}`)
          const settled = await runArchiver(['rows', 'conflicts', '--keep', 'archive', config])
          expect([settled.code, settled.err]).toEqual([0, ''])
          const last = await command()
          expect([last.code, last.err]).toEqual([0, ''])
          expect(await standing(site)).toBe('0+50 0+100 0+200')
        },
      )

      it.each(['archive', 'live'])(
        'stay whole where the row itself differs, and go together when that is settled by --keep %s',
        async (keep) => {
          await site.sql("INSERT INTO ra VALUES (7, 'older', 1, 1)")
          expect((await command()).code).toBe(1)
          expect(await standing(site)).toBe('1+50 2+98 4+196')
          const config = site.config({ children: CHILD_SETTING, batch_size: 20 })
          const settled = await runArchiver(['rows', 'conflicts', '--keep', keep, config])
          expect([settled.code, settled.err]).toEqual([0, ''])
          expect(await standing(site)).toBe('0+50 0+100 0+200')
          expect(await site.rows('SELECT t FROM ra WHERE id = 7')).toEqual([
            { t: keep === 'live' ? 'row 7' : 'older' },
          ])
          expect(await wholeGroups(site)).toMatchObject({ inBoth: 0, withoutParent: 0 })
        },
      )

      onceIt('are not settled as long as one of them is in conflict itself', async () => {
        await site.sql("INSERT INTO ra VALUES (7, 'older', 1, 1)", "INSERT INTO ca VALUES (71, 7, 'older')")
        expect((await command()).code).toBe(1)
        const config = site.config({ children: CHILD_SETTING, batch_size: 20 })
        const refused = await runArchiver(['rows', 'conflicts', '--keep', 'archive', '--key', '7', config])
        expect(refused.code).toBe(1)
        expect(refused.err).toContain('the row 7 stays: c 71, which refers to it, is in conflict itself')
        expect([await site.count('r'), await site.count('c'), await site.count('g')]).toEqual([1, 2, 4])
      })

      onceIt('stay whole where the archive refuses an item for another unique key', async () => {
        await site.sql('CREATE UNIQUE INDEX only_t ON ca (t)', "INSERT INTO ca VALUES (9000, 1, 'item 2.30')")
        expect((await move()).counts).toMatchObject({ moved: 49, heldBack: 1, childConflicts: 1 })
        expect(await site.rows('SELECT id FROM r')).toEqual([{ id: '30' }])
        expect(await site.count('ra', 'id = 30')).toBe(0)
        expect([await site.count('c'), await site.count('ca', 'rid = 30')]).toEqual([2, 0])
      })

      onceIt('are finished where an earlier copy left a part of them in the archive', async () => {
        const before = await wholeGroups(site)
        await site.sql(
          'INSERT INTO ra SELECT * FROM r WHERE id < 30',
          'INSERT INTO ca SELECT * FROM c WHERE id < 150',
        )
        expect((await move()).counts).toMatchObject({ moved: 21, alreadyArchivedLive: 29, heldBack: 0 })
        expect(await wholeGroups(site)).toEqual(before)
        expect(await standing(site)).toBe('0+50 0+100 0+200')
      })

      onceIt(
        'are where they were after --dry-run and --verify-only, and live after --no-delete',
        async () => {
          expect((await command('--dry-run')).out).toMatch(
            /50 would be moved\n {2}300 rows of child tables would be copied/,
          )
          expect((await command('--verify-only')).out).toContain(
            '300 rows of child tables live and not archived',
          )
          expect(await standing(site)).toBe('50+0 100+0 200+0')
          expect((await command('--no-delete')).code).toBe(0)
          expect(await standing(site)).toBe('50+50 100+100 200+200')
          expect((await command('--verify-only')).code).toBe(0)
          expect((await command()).code).toBe(0)
          expect(await standing(site)).toBe('0+50 0+100 0+200')
        },
      )

      describe('of which somebody adds one meanwhile', () => {
        let other: Session
        let third: Session
        beforeEach(async () => {
          const open = () => openSession({ url: site.url, password: undefined, timeout: 20_000 })
          other = await open()
          third = await open()
        })
        afterEach(async () => {
          await other.close()
          await third.close()
        })

        it('wait for it where it came first, and take it along', async () => {
          await other.run('BEGIN')
          await other.run("INSERT INTO c VALUES (9999, 50, 'late')")
          const moving = move({ batchSize: 50 })
          await site.untilBlocked()
          await other.run('COMMIT')
          expect((await moving).counts).toMatchObject({ moved: 50, childrenDeleted: 301 })
          expect(await site.count('ca', 'id = 9999')).toBe(1)
        })

        it('keep it from coming in once their parent is locked', async () => {
          // The move has locked the parents and waits for this item.
          await other.run('BEGIN')
          await other.run('SELECT id FROM c WHERE id = 502 FOR UPDATE')
          const moving = move({ batchSize: 50 })
          await site.untilBlocked()
          const adding = third.run("INSERT INTO c VALUES (9999, 50, 'late')").then(
            () => 'came in',
            (error: unknown) => String(error),
          )
          const first = await Promise.race([
            adding,
            new Promise((resolve) => setTimeout(() => resolve('waits'), 1000)),
          ])
          expect(first).toBe('waits')
          await other.run('COMMIT')
          expect((await moving).counts).toMatchObject({ moved: 50, childrenDeleted: 300 })
          // InnoDB reads a small table whole, meets the new row there, and may name the insert the victim of a deadlock.
          expect(await adding).toMatch(/foreign key constraint|Deadlock found/)
          expect(await standing(site)).toBe('0+50 0+100 0+200')
        })
      })

      onceIt('stop where a child table gets a new column meanwhile', async () => {
        let passes = 0
        const free = { lag: 0, hll: 0, throttledMs: 0, reason: undefined, cause: undefined, end: undefined }
        const gate = {
          ready: () => Promise.resolve(),
          pass: async () => {
            if (++passes === 2) await site.sql('ALTER TABLE g ADD COLUMN x INT', 'UPDATE g SET x = no')
            return free
          },
          rest: () => 0,
          lags: new Map<string, number | undefined>(),
          close: () => Promise.resolve(),
        }
        const outcome = await move({ gate })
        expect(outcome.error?.message).toMatch(/\.g is not what it was when the run began/)
        expect(await site.count('g', 'x IS NOT NULL')).toBe(120)
      })

      onceIt('are shown by rows plan, table by table', async () => {
        const config = site.config({ children: CHILD_SETTING })
        const { code, out } = await runArchiver(['rows', 'plan', config])
        expect(code).toBe(0)
        expect(out).toContain(`with its children ${site.schema}.c → ${site.schema}.ca`)
        for (const table of ['ra', 'ca', 'ga'])
          expect(out).toMatch(new RegExp(`INSERT INTO .*\\b${table}\\b`))
      })
    },
  )
}
