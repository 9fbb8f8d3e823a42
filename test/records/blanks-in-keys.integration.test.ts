import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureLog, logTableSql } from '../../src/records/sql/log-table.ts'
import { logStates, type LogWriter } from '../../src/records/sql/processing-log.ts'
import { runCommand } from '../../src/commands/records/run.ts'
import { answers, openSite, printing, type Site } from './databases.ts'

const DIALECTS = ['sqlite', 'postgres', 'mysql'] as const
const there = await Promise.all(DIALECTS.map(async (dialect) => [dialect, await answers(dialect)] as const))

const MAPPING = `version: 1
record: { root: r, key: /r/@id, key_type: text }
tables: [{ table: t, key: [id, v], columns: { id: $key, v: { from: /r/@v, type: text } } }]
`

describe.each(there.filter(([, isThere]) => isThere).map(([dialect]) => dialect))(
  'keys that differ in a blank at their end, in %s',
  (dialect) => {
    let site: Site
    const writer: Pick<LogWriter, 'task' | 'keyType'> = { task: 'orders', keyType: 'text' }
    beforeEach(async () => {
      site = await openSite(dialect)
      await site.database.session.change(
        'CREATE TABLE t (id varchar(20), v varchar(20), PRIMARY KEY (id, v))',
      )
      writeFileSync(join(site.folder, 'map.yaml'), MAPPING)
      writeFileSync(join(site.folder, 'a.xml'), '<r id="a" v="first"/>')
      writeFileSync(join(site.folder, 'a .xml'), '<r id="a" v="second"/>')
    })
    afterEach(() => site.close())

    const run = async () => {
      const { context, printed } = printing()
      const code = await runCommand(
        { task: 'orders', config: site.config, json: true, source: `files:${site.folder}` },
        context,
      )
      return { code, metrics: JSON.parse(printed()) as Record<string, unknown> }
    }
    const rows = () => site.count("SELECT COUNT(*) FROM t WHERE v IN ('first', 'second')")

    it('are two items', async () => {
      expect(await run()).toMatchObject({ code: 0, metrics: { total_applications_successful: 2 } })
      expect(await rows()).toBe(2)
      expect([...(await logStates(site.database, writer, ['a', 'a ', 'a  '])).keys()]).toEqual(['a', 'a '])
    })
    it('are two items in a log that was made before they were', async () => {
      await site.database.session.change(logTableSql(dialect, 'text'))
      await site.database.session.change(
        "INSERT INTO processing_log (app_id, status, task) VALUES ('a', 'success', 'orders')",
      )
      expect(await run()).toMatchObject({ code: 0, metrics: { total_applications_successful: 1 } })
      expect(await rows()).toBe(1)
      expect(await site.count("SELECT COUNT(*) FROM t WHERE v = 'second'")).toBe(1)
      await ensureLog(site.database, 'text')
      expect(await site.count('SELECT COUNT(*) FROM processing_log')).toBe(2)
    })
  },
)
