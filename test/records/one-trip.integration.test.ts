import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mapPayload } from '../../src/records/map-payload.ts'
import { readMapping } from '../../src/records/mapping/read-mapping.ts'
import { ensureLog } from '../../src/records/sql/log-table.ts'
import { type LogEntry, type LogWriter } from '../../src/records/sql/processing-log.ts'
import { storeFailure, storeItem, type StoreOptions } from '../../src/records/sql/store-item.ts'
import { answers, openSite, type Site } from './databases.ts'

const SERVERS = ['postgres', 'mysql'] as const
const there = await Promise.all(SERVERS.map(async (dialect) => [dialect, await answers(dialect)] as const))
for (const [dialect, isThere] of there) if (!isThere) console.warn(`skipped: no ${dialect} answers`)

/** Two tables without a unique key, so that nothing but the log row keeps rows from being stored twice. */
const MAPPING = `version: 1
record: { root: r, key: /r/@id, key_type: bigint }
tables:
  - { table: notes, key: [id], columns: { id: $key, note: { from: /r/@note, type: text, length: 20 } } }
  - { table: checked, key: [id], columns: { id: $key, low: { from: /r/@low, type: integer } } }
`
const entryOf = (key: number, more: Partial<LogEntry> = {}): LogEntry => ({
  key,
  status: 'success',
  reason: null,
  stage: null,
  code: null,
  detail: null,
  warnings: null,
  result: null,
  rowsWritten: 0,
  tables: '{}',
  payloadSha256: null,
  payloadBytes: 1,
  startedAt: '2026-02-03 04:05:06',
  finishedAt: '2026-02-03 04:05:06',
  durationMs: 0,
  ...more,
})
const WRITER: LogWriter = {
  task: 't',
  keyType: 'bigint',
  sessionId: 's',
  instanceId: null,
  instanceCount: null,
  rangeStart: null,
  rangeEnd: null,
  mappingSha256: '',
}

describe.each(there.filter(([, isThere]) => isThere).map(([dialect]) => dialect))(
  'an item that goes to %s in one trip',
  (dialect) => {
    let site: Site
    let steps: string[]
    let options: StoreOptions
    const mapping = readMapping(MAPPING, 'map.yaml')
    beforeEach(async () => {
      site = await openSite(dialect)
      const { database } = site
      await ensureLog(database, 'bigint')
      await database.session.change('CREATE TABLE notes (id bigint, note varchar(20))')
      await database.session.change('CREATE TABLE checked (id bigint, low int CHECK (low < 5))')
      steps = []
      options = {
        database,
        mapping,
        writer: WRITER,
        catalogue: new Map(),
        reached: (step) => steps.push(step),
      }
    })
    afterEach(() => site.close())

    const store = (id: number, attributes: string) => {
      const { rows } = mapPayload(`<r id="${id}" ${attributes}/>`, mapping, {
        sourceKey: String(id),
        now: 0,
        strict: false,
      })
      return storeItem({ key: id, rows, warnings: [] }, entryOf(id), options)
    }
    const log = async (): Promise<unknown> =>
      (
        await site.database.session.rows(
          'SELECT app_id, status, retry_count, rows_written FROM processing_log ORDER BY app_id',
        )
      ).map((row) => Object.values(row).map(String).join(' '))

    it('has its rows and its log row, whatever its values hold', async () => {
      const note = `a ' b \\ " ; c ?`
      expect(await store(7, `note="${note.replaceAll('"', '&quot;')}" low="1"`)).toEqual({
        result: 'stored',
        rowsWritten: 2,
      })
      expect(steps).toEqual(['sent', 'commit answered'])
      expect(await site.database.session.rows('SELECT note FROM notes')).toEqual([{ note }])
      expect(await log()).toEqual(['7 success 0 2'])
    })
    it('is stored once, though no key of its tables is unique', async () => {
      await store(7, 'note="a" low="1"')
      expect(await store(7, 'note="a" low="1"')).toEqual({ result: 'done before' })
      expect(await site.count('SELECT COUNT(*) FROM notes')).toBe(1)
      expect(await log()).toEqual(['7 success 0 2'])
    })
    it('is stored over its failure', async () => {
      await storeFailure(entryOf(7, { status: 'failed', code: 'EXPRESSION' }), options)
      expect(await store(7, 'note="a" low="1"')).toMatchObject({ result: 'stored' })
      expect(await log()).toEqual(['7 success 1 2'])
    })
    it('that breaks a constraint leaves nothing, and names it', async () => {
      await expect(store(7, 'note="a" low="9"')).rejects.toMatchObject({ code: 'CONSTRAINT' })
      expect(await site.count('SELECT COUNT(*) FROM notes')).toBe(0)
      expect(await log()).toEqual([])
      await store(8, 'note="b" low="1"')
      expect(steps.slice(-2)).toEqual(['sent', 'commit answered'])
    })
    it('goes in steps where it is large', async () => {
      await store(7, `note="${'a'.repeat(20)}" low="1"`)
      const row = new Map<string, string | number>([
        ['id', 8],
        ['note', 'x'],
      ])
      const rows = new Map([['notes', Array.from({ length: 6000 }, () => row)]])
      steps = []
      await storeItem({ key: 8, rows, warnings: [] }, entryOf(8), options)
      expect(steps).toEqual(['log written', 'table notes written', 'commit answered'])
    })
    it('goes in steps, and the next ones at once, where the server takes it so alone', async () => {
      if (dialect !== 'postgres') return
      await site.database.session.change('CREATE RULE also AS ON INSERT TO notes DO ALSO SELECT 1')
      expect(await store(7, 'note="a" low="1"')).toMatchObject({ result: 'stored' })
      expect(steps).toContain('sent')
      steps = []
      expect(await store(8, 'note="a" low="1"')).toMatchObject({ result: 'stored' })
      expect(steps).not.toContain('sent')
      expect(await site.count('SELECT COUNT(*) FROM notes')).toBe(2)
    })
  },
)
