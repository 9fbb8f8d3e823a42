import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { openFile } from '../../../src/sql/libsql-database.ts'
import { databasePlace } from '../../../src/sql/database-url.ts'
import { openDatabase } from '../../../src/sql/open-database.ts'
import { listExecutions } from '../../../src/tracking/api/execution-list.ts'
import { taskFacts } from '../../../src/tracking/alerts/gather-facts.ts'
import { migrateLedger } from '../../../src/tracking/ledger/migrate-ledger.ts'

const NOW = Date.parse('2026-11-28T12:00:00Z')
const folder = mkdtempSync(join(tmpdir(), 'upgrade-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Every row of every table, as JSON. */
const contents = (file: string): Map<string, readonly Record<string, unknown>[]> => {
  const database = openFile(file, 5000)
  try {
    const tables = database
      .prepare(
        `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
      )
      .all([]) as { name: string }[]
    return new Map(
      tables.map(({ name }) => [
        name,
        database.prepare(`SELECT * FROM ${name} ORDER BY 1`).all([]) as Record<string, unknown>[],
      ]),
    )
  } finally {
    database.close()
  }
}

describe('a ledger that version 1.0.0 wrote', () => {
  it('keeps every cell, and serves what is new', async () => {
    const file = join(folder, 'ledger.db')
    writeFileSync(file, gunzipSync(readFileSync('test/tracking/ledger/fixtures/ledger-1.0.0.db.gz')))
    const before = contents(file)
    expect([...before].map(([name, rows]) => [name, rows.length])).toMatchObject([
      ...[
        ['batches', 4],
        ['daily_stats', 2],
        ['events', 6],
        ['executions', 2],
        ['files', 12],
        ['idle_passes', 0],
      ],
      ...[
        ['process_metrics', 2],
        ['schema_version', 2],
        ['subtasks', 4],
      ],
    ])
    const place = databasePlace(`sqlite:${file}`, folder)
    if (!place) throw new Error('no place')
    const database = await openDatabase({ place, schema: 'tasker', password: undefined, timeout: 5000 })
    expect(await migrateLedger(database, { now: () => NOW, by: 'test' })).toEqual([])
    const { items } = await listExecutions(database, { limit: 10 }, NOW)
    expect(items.map(({ task, standing }) => [task, standing])).toEqual([
      ['incremental', 'ok'],
      ['full', 'ok'],
    ])
    expect((await taskFacts(database, NOW)).map(({ task }) => task)).toEqual(['full', 'incremental'])
    await database.close()
    const after = contents(file)
    for (const [name, rows] of before) {
      if (name === 'schema_version') continue
      const kept = after
        .get(name)
        ?.map((row, i) =>
          Object.fromEntries(Object.keys(rows[i] ?? {}).map((column) => [column, row[column]])),
        )
      expect([name, kept]).toEqual([name, rows])
    }
    expect(after.get('schema_version')?.map(({ version }) => version)).toContain(2)
    for (const name of ['tasks', 'stages', 'daily_failures', 'alerts', 'silences', 'executions_history'])
      expect(after.get(name)).toEqual([])
  })
})
