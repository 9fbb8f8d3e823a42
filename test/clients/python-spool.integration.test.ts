import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFile } from '../../src/sql/libsql-database.ts'
import { postgresAnswers } from '../postgres.ts'
import { Served, TOKEN } from '../web/served.ts'
import { canRun, PROGRAM, TrackingSite } from './harness.ts'

const answers = (await postgresAnswers()) && canRun('/usr/bin/python3', '-c', 'import psycopg2')
const site = new TrackingSite()
const served = new Served()
beforeAll(async () => {
  if (!answers) return
  await site.create()
  await served.start()
  site.run(process.execPath, [PROGRAM, 'track', 'migrate-schema'], {
    MONITOR_DB_CONN: `sqlite:${join(site.folder, 'ledger.db')}`,
  })
})
afterAll(async () => {
  if (!answers) return
  await served.remove()
  await site.remove()
})

const idOf = (number: number): string => `b0000000-0000-4000-8000-${String(number).padStart(12, '0')}`
const line = (number: number, more: object = {}): string =>
  `${JSON.stringify({
    t: 'executions',
    c: {
      ...{ run_id: idOf(number), task_name: `spooled ${number}`, hostname: 'h', process_id: 1 },
      ...{ execution_start: '2026-01-02 03:04:05.678', last_update: '2026-01-02 03:04:06.000' },
      ...{ execution_status: 'FINISHED', end_reason: 'ok', revision: 2 },
      ...more,
    },
  })}\n`

const places = {
  PostgreSQL: {
    env: {} as Record<string, string>,
    tasks: async () => (await site.query('SELECT task_name AS n FROM tasker.executions')).map(({ n }) => n),
  },
  SQLite: {
    env: { MONITOR_DB_CONN: `sqlite:${join(site.folder, 'ledger.db')}` },
    tasks: () => Promise.resolve(tasksIn(join(site.folder, 'ledger.db'))),
  },
  HTTP: { env: {}, tasks: () => Promise.resolve(tasksIn(served.ledger)) },
}
/** The events of an execution. */
const kindsIn = async (name: keyof typeof places, run: string): Promise<unknown[]> => {
  const statement = `SELECT kind FROM tasker.events WHERE run_id = '${run}'`
  if (name === 'PostgreSQL') return (await site.query(statement)).map(({ kind }) => kind)
  const database = openFile(name === 'HTTP' ? served.ledger : join(site.folder, 'ledger.db'), 5000)
  try {
    return (database.prepare(statement.replace('tasker.', '')).all([]) as { kind: unknown }[]).map(
      ({ kind }) => kind,
    )
  } finally {
    database.close()
  }
}
const tasksIn = (file: string): unknown[] => {
  const database = openFile(file, 5000)
  try {
    return (database.prepare('SELECT task_name AS n FROM executions').all([]) as { n: unknown }[]).map(
      ({ n }) => n,
    )
  } finally {
    database.close()
  }
}

describe.skipIf(!answers).each(Object.keys(places) as (keyof typeof places)[])(
  'what waits for a Python script that reports to %s',
  (name) => {
    const report = (folder: string) => {
      const env = name === 'HTTP' ? { MONITOR_DB_CONN: served.url, MONITOR_TOKEN: TOKEN } : places[name].env
      const body = `import sys\nsys.path.insert(0, ${JSON.stringify(resolve('clients/python'))})\nfrom pipeline_tracker import *\ntrack_init("by python ${name}")\ntrack_finish()\n`
      return site.run('/usr/bin/python3', [site.write(`${name}.py`, body)], {
        ...env,
        MONITOR_SPOOL_DIR: folder,
      })
    }
    it('is written but for the row that is refused, which is told and kept', async () => {
      const folder = join(site.folder, `refused-${name}`)
      mkdirSync(folder)
      const spool = join(folder, 'tracking-spool.jsonl')
      const bad = [
        line(2, { hostname: null, execution_status: 'NONSENSE' }),
        line(3, { execution_start: 'at noon' }),
      ]
      writeFileSync(
        spool,
        [line(1), ...bad, '{"cut sho\n', line(4, { script_path: 'a\0b', error_detail: { a: 1 } })].join(''),
      )
      const ran = report(folder)
      expect(ran).toMatchObject({ status: 0 })
      const tasks = await places[name].tasks()
      expect(tasks).toEqual(expect.arrayContaining(['spooled 1', 'spooled 4', `by python ${name}`]))
      expect(tasks).not.toContain('spooled 2')
      expect(ran.stderr).toContain('a row was refused, and is kept in')
      // SQLite takes any text for a time.
      const kept = readFileSync(`${spool}.refused`, 'utf8').trim().split('\n')
      expect(kept).toHaveLength(name === 'SQLite' ? 1 : 2)
      expect(kept[0]).toContain('NONSENSE')
      expect(readdirSync(folder).filter((file) => !file.endsWith('.refused'))).toEqual([])
    })
    it('is found where a process was killed while it replayed', async () => {
      const folder = join(site.folder, `replay-${name}`)
      mkdirSync(folder)
      writeFileSync(join(folder, 'tracking-spool.jsonl.replay-4711'), line(7))
      expect(report(folder)).toMatchObject({ status: 0, stderr: '' })
      expect(await places[name].tasks()).toContain('spooled 7')
      expect(readdirSync(folder)).toEqual([])
    })
    it('is taken up where a process that ended in the middle stopped, with events of other clients', async () => {
      const folder = join(site.folder, `portions-${name}`)
      mkdirSync(folder)
      const cells = {
        run_id: idOf(23),
        seq: -5,
        at: '2026-01-02 03:04:06.000',
        kind: 'spool-full',
        detail: '{}',
      }
      const rows = [21, 22, 23, 24].map((number) => line(number))
      writeFileSync(
        join(folder, 'tracking-spool.jsonl'),
        `${rows.join('')}${JSON.stringify({ t: 'events', c: cells })}\n`,
      )
      const body = `import os, sys\nsys.path.insert(0, ${JSON.stringify(resolve('clients/python'))})
import pipeline_tracker as tracking
tracking.REPLAY_LINES = 2
seen = []
def write(rows):
    if seen: os._exit(9)
    seen.extend(rows)
    return []
tracking._Spool().replay(write)
`
      const killed = site.run('/usr/bin/python3', [site.write('portions.py', body)], {
        MONITOR_SPOOL_DIR: folder,
      })
      expect(killed.status).toBe(9)
      expect(readdirSync(folder)).toEqual([expect.stringMatching(new RegExp(`\\.${rows[0]!.length * 2}$`))])
      expect(report(folder)).toMatchObject({ status: 0, stderr: '' })
      const tasks = await places[name].tasks()
      expect(tasks).toEqual(expect.arrayContaining(['spooled 23', 'spooled 24']))
      expect(tasks).not.toContain('spooled 21')
      expect(await kindsIn(name, idOf(23))).toEqual(['spool-full'])
      expect(readdirSync(folder)).toEqual([])
    })
    it('waits on where the database is away, in one file', () => {
      const folder = join(site.folder, `away-${name}`)
      mkdirSync(folder)
      writeFileSync(join(folder, 'tracking-spool.jsonl'), line(8))
      const away = { MONITOR_DB_CONN: name === 'HTTP' ? 'http://127.0.0.1:1' : 'host=127.0.0.1 port=1' }
      const body = `import sys\nsys.path.insert(0, ${JSON.stringify(resolve('clients/python'))})\nfrom pipeline_tracker import *\ntrack_init("away")\ntrack_finish()\n`
      site.run('/usr/bin/python3', [site.write('away.py', body)], { ...away, MONITOR_SPOOL_DIR: folder })
      expect(readdirSync(folder)).toEqual(['tracking-spool.jsonl'])
      const text = readFileSync(join(folder, 'tracking-spool.jsonl'), 'utf8')
      expect(text).toContain('spooled 8')
      expect(text).toContain('"away"')
      expect(existsSync(join(folder, 'tracking-spool.jsonl.refused'))).toBe(false)
    })
  },
)
