import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LOG_TABLES } from '../../src/rows/log/tables.ts'
import { DIALECTS, type Ended, range, runArchiver, serverAnswers, Site } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: no plan is held against a run there`)

  describe.skipIf(!isThere)(`a plan on ${name}`, () => {
    let site: Site
    let user = ''
    beforeEach(async () => {
      site = await Site.make(name)
      user = `${site.database}_u`.slice(0, 32)
      await site.fill(10)
      site.file('ids.csv', range(1, 10))
      await site.sql(
        ...(name === 'mysql'
          ? [
              `CREATE USER ${user}@'%' IDENTIFIED BY 'pw'`,
              `GRANT PROCESS ON *.* TO ${user}@'%'`,
              ...['r', 'ra'].map(
                (table) =>
                  `GRANT SELECT, INSERT, UPDATE, DELETE, TRIGGER ON ${site.database}.${table} TO ${user}@'%'`,
              ),
            ]
          : [
              `CREATE ROLE ${user} LOGIN PASSWORD 'pw'`,
              `REVOKE CREATE ON SCHEMA public FROM PUBLIC`,
              `GRANT SELECT, INSERT, UPDATE, DELETE ON r, ra TO ${user}`,
            ]),
      )
    })
    afterEach(async () => {
      await site.sql(name === 'mysql' ? `DROP USER ${user}@'%'` : `DROP OWNED BY ${user}`)
      if (name === 'postgres') await site.sql(`DROP ROLE ${user}`)
      await site.drop()
    })

    const asUser = () => {
      const url = new URL(site.url)
      url.username = user
      url.password = 'pw'
      return url.href
    }
    const both = async (...words: string[]): Promise<readonly [Ended, Ended]> => {
      const config = ['--config', join(site.folder, 'config.yaml')]
      return [
        await runArchiver(['rows', 'plan', ...config, ...words]),
        await runArchiver(['rows', 'run', ...config, ...words]),
      ]
    }
    const refusedAlike = async (code: number, text: RegExp, ...words: string[]) => {
      const [plan, run] = await both(...words)
      expect(plan).toMatchObject({ code, err: expect.stringMatching(text) as string })
      expect(run).toMatchObject({ code, err: plan.err })
      expect(await site.count('r')).toBe(10)
    }

    it('is refused as the run is, where the user may not make the log tables', async () => {
      site.config({ source: asUser() })
      await refusedAlike(78, /process_logs.* is not there, and this user may not make it/)
      await site.sql(
        name === 'mysql'
          ? `GRANT CREATE, ALTER, REFERENCES, SELECT, INSERT, UPDATE, DELETE ON ${site.database}.* TO ${user}@'%'`
          : `GRANT CREATE ON SCHEMA public TO ${user}`,
      )
      const [plan, run] = await both()
      expect([plan.err, plan.code, run.err, run.code]).toEqual(['', 0, '', 0])
    })

    it('is refused as the run is, where the user may not write or widen the log tables', async () => {
      site.config()
      expect(await site.run('--limit-batches', '1')).toMatchObject({ code: 0 })
      await site.insert(1, 10)
      await site.sql('DELETE FROM ra')
      site.file('more.csv', [...range(1, 10), 11])
      site.config({ source: asUser() })
      const tables = Object.keys(LOG_TABLES)
      for (const table of tables)
        await site.sql(`GRANT SELECT ON ${table} TO ${name === 'mysql' ? `${user}@'%'` : user}`)
      await refusedAlike(78, /may not write the log table .*process_logs/)
      await site.sql('ALTER TABLE process_logs DROP COLUMN archive_server')
      await refusedAlike(78, /lacks columns of this version, and this user may not add them/)
    })

    it('is refused as the run is, where a limit cannot be measured', async () => {
      site.config({ throttle: { query: 'SELECT nothing' } })
      await refusedAlike(78, /rows\.throttle\.query: .*nothing/)
      site.config()
      if (name === 'mysql') await refusedAlike(78, /has no replica to look at/, '--max-lag', '5s')
    })

    it('is refused as the run is, where a trigger runs, and forced by the same flag', async () => {
      await site.sql(
        name === 'mysql'
          ? 'CREATE TRIGGER gone AFTER DELETE ON r FOR EACH ROW SET @gone = 1'
          : 'CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
        ...(name === 'mysql'
          ? []
          : ['CREATE TRIGGER gone AFTER DELETE ON r FOR EACH ROW EXECUTE FUNCTION seen()']),
      )
      site.config()
      await refusedAlike(78, /trigger gone/)
      const [plan, run] = await both('--force-triggers')
      expect([plan.code, run.code]).toEqual([0, 0])
    })

    it('names the line of any file that is no id, and counts the ids of each', async () => {
      writeFileSync(join(site.folder, 'more.csv'), '11\n12x\n')
      site.config()
      const [refused] = await both()
      expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/more\.csv: line 2/) as string })
      site.config({ bad_lines: 'skip' })
      const [plan] = await both('--json')
      expect(JSON.parse(plan.out)).toMatchObject({
        files: [
          { file: join(site.folder, 'ids.csv'), ids: 10, bad: 0 },
          { file: join(site.folder, 'more.csv'), ids: 1, bad: 1 },
        ],
      })
    })

    if (name === 'postgres')
      it('is refused for limits that look at sessions which the server hides from the user', async () => {
        await site.sql(`GRANT CREATE ON SCHEMA public TO ${user}`)
        const limits = { max_replica_lag: '5s', max_hll: 100, max_load: { Threads_running: 50 } }
        site.config({ source: asUser(), throttle: limits })
        await refusedAlike(78, /max_replica_lag, max_hll, max_load: the server hides .* GRANT pg_read_all/)
        await site.sql(`GRANT pg_read_all_stats TO ${user}`)
        expect((await both()).map(({ code }) => code)).toEqual([0, 0])
      })
  })
}
