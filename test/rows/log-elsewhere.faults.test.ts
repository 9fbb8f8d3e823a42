import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSession } from '../../src/sql/open-session.ts'
import { DIALECTS, range, runArchiver, serverAnswers, Site } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: no log elsewhere is killed there`)

  describe.skipIf(!isThere)(`a batch of ${name} rows whose log is in another database`, () => {
    let site: Site
    let log: Site
    let config: string
    let before: object
    beforeEach(async () => {
      site = await Site.make(name)
      log = await Site.make(name)
      await site.fill(30)
      await site.sql("INSERT INTO ra (id, t, n, d) VALUES (5, 'older', 1, 1), (6, 'older', 1, 1)")
      site.file('a.csv', [])
      config = site.config({ log: log.url, batch_size: 10 })
      expect((await site.run()).code).toBe(0) // makes the log tables
      site.file('ids.csv', range(1, 30))
      before = await site.whole()
    })
    afterEach(async () => {
      await site.drop()
      await log.drop()
    })

    const start = (words: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess =>
      spawn(process.execPath, words, { stdio: 'ignore', env: { ...process.env, ...env } })
    const move = (): readonly string[] => ['dist/main.js', 'rows', 'run', config]
    const killed = async (child: ChildProcess): Promise<void> => {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      expect(child.signalCode).toBe('SIGKILL')
    }
    const finished = (): Promise<number> => log.count('batch_processing_logs', "status LIKE 'COMPLETED%'")
    /** Finished batches whose conflicts the log does not have: nobody would hear of them again. */
    const torn = (): Promise<number> =>
      log.count(
        'batch_processing_logs b',
        `status LIKE 'COMPLETED%' AND conflicts <> (SELECT count(*) FROM row_conflicts c
           WHERE c.process_log_id = b.process_log_id AND c.file_name = b.file_name AND c.batch_number = b.batch_number)`,
      )
    /** The next run finds the conflicts, or has them; they are settled, and then all is done. */
    const assertGoesOn = async (): Promise<void> => {
      expect(await torn()).toBe(0)
      expect(await site.whole()).toEqual(before)
      const next = await site.run()
      expect(next.code, next.err + next.out).toBe(1)
      expect(await log.count('row_conflicts', 'resolution IS NULL')).toBe(2)
      expect(await site.whole()).toEqual(before)
      const settled = await runArchiver(['rows', 'conflicts', '--keep', 'live', '--config', config])
      expect({ code: settled.code, err: settled.err }).toEqual({ code: 0, err: '' })
      expect((await site.run()).code).toBe(0)
      expect(await site.whole()).toMatchObject({ rows: 30, both: 0 })
      expect(await site.count('r')).toBe(0)
      expect(await site.rows('SELECT t FROM ra WHERE id IN (5, 6) ORDER BY id')).toEqual([
        { t: 'row 5' },
        { t: 'row 6' },
      ])
      expect([await finished(), await torn()]).toEqual([3, 0])
    }

    it.each([
      { step: 'rows-log: to be written', nth: 1, logged: 0 },
      { step: 'rows-log: written', nth: 1, logged: 1 },
      { step: 'rows-log: to be written', nth: 2, logged: 1 },
    ])('that is killed at $step ($nth) is in the log with its conflicts, or done again', async (at) => {
      const hook = {
        NODE_OPTIONS: '--import=./test/crash/hook.mjs',
        CRASH_AT: `${at.step}#${at.nth}`,
      }
      await killed(start(move(), hook))
      expect(await site.count('r')).toBe(at.nth === 1 ? 22 : 12)
      expect(await finished()).toBe(at.logged)
      await assertGoesOn()
    })

    /** Kills a run in the middle of what it writes into the log, while it waits for the table of conflicts there. */
    const killInTheMiddle = async (words: readonly string[]): Promise<void> => {
      const hook = {
        NODE_OPTIONS: '--import=./test/crash/hook.mjs',
        STOP_AT: 'rows-log: to be written#1',
      }
      const child = start(words, hook)
      const ended = once(child, 'exit')
      // Its preflight has looked at the table by then.
      await until('it is stopped before its log', () => Promise.resolve(isStopped(child)))
      const other = await openSession({ url: log.url, password: undefined, timeout: 30_000 })
      if (name === 'postgres') await other.run('BEGIN')
      await other.run(
        name === 'mysql'
          ? 'LOCK TABLES row_conflicts WRITE'
          : 'LOCK TABLE row_conflicts IN ACCESS EXCLUSIVE MODE',
      )
      try {
        child.kill('SIGCONT')
        await until('its log waits', async () => child.exitCode !== null || (await waiting()) > 0)
        child.kill('SIGKILL')
        await ended
        expect(child.signalCode).toBe('SIGKILL')
      } finally {
        other.destroy()
      }
      expect(await site.count('r')).toBe(22)
      await until('its session is gone', async () => (await waiting()) === 0)
      await until('its session is gone', async () => (await sessions()) === 0)
    }
    const own = name === 'mysql' ? 'ID <> CONNECTION_ID() AND DB' : 'pid <> pg_backend_pid() AND datname'
    const sessionsAre = (more: string): Promise<number> =>
      log.count(
        name === 'mysql' ? 'information_schema.PROCESSLIST' : 'pg_stat_activity',
        `${own} = '${log.database}'${more}`,
      )
    const sessions = (): Promise<number> => sessionsAre('')
    const waiting = (): Promise<number> =>
      sessionsAre(name === 'mysql' ? " AND STATE LIKE 'Waiting for table%'" : " AND wait_event_type = 'Lock'")

    it('that is killed in the middle of its log is there with its conflicts, or done again', async () => {
      await killInTheMiddle(move())
      await assertGoesOn()
    })

    it('that writes its log piece by piece is finished without one of its conflicts, which this test finds', async () => {
      const places = [site.url, log.url, join(site.folder, 'ids.csv')]
      await killInTheMiddle(['--import', 'tsx', 'test/rows/broken-log-mover.ts', ...places])
      expect(await torn()).toBe(1)
      await expect(assertGoesOn()).rejects.toThrow()
    })
  })
}

const isStopped = ({ pid, exitCode }: ChildProcess): boolean => {
  if (exitCode !== null) throw new Error(`it ended with ${exitCode}`)
  return / T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/\(.*\)/s, ''))
}

const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 600; tries++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`it never came to that: ${what}`)
}
