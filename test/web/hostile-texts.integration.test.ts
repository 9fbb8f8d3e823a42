import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFile, type SqliteFile } from '../../src/sql/libsql-database.ts'
import { timeText } from '../../src/sql/timestamps.ts'
import { TABLES, type Table } from '../../src/tracking/ledger/tables.ts'
import { Served } from './served.ts'

/** What it would be if a page did not escape it, in a text, in an attribute, and in a script. */
const HOSTILE = `<img src=x onerror=alert(1)>"'&</script>`
const ESCAPED = /&lt;img src=x onerror=alert\(1\)&gt;&quot;&#39;&amp;&lt;\/script&gt;(\w+\.\w+)/g
const RUN = '00000000-0000-4000-8000-000000000001'
const now = Date.now()

/** Words that the tables ask for; every other text is hostile. */
const WORDS: Readonly<Record<string, string>> = {
  execution_status: 'RUNNING',
  subtask_status: 'RUNNING',
  end_reason: 'ok',
  state: 'failed',
  severity: 'warning',
  day: new Date(now).toISOString().slice(0, 10),
}
const served = new Served()

const rowOf = (table: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => {
  const { columns }: Table = TABLES[table as keyof typeof TABLES]
  const cells = Object.entries(columns).flatMap(([name, type]): [string, unknown][] => {
    if (type === 'id') return []
    if (type === 'uuid') return [[name, RUN]]
    if (type === 'time') return [[name, timeText(now - 60_000)]]
    if (['int', 'big', 'percent', 'real'].includes(type)) return [[name, 1]]
    if (type === 'json') return [[name, JSON.stringify({ [HOSTILE]: `${HOSTILE}${table}.${name}` })]]
    return [[name, WORDS[name] ?? `${HOSTILE}${table}.${name}`]]
  })
  return { ...Object.fromEntries(cells), ...more }
}
const put = (database: SqliteFile, table: string, more?: Readonly<Record<string, unknown>>): void => {
  const row = rowOf(table, more)
  const names = Object.keys(row)
  database
    .prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
    .run(Object.values(row))
}

beforeAll(async () => {
  await served.start()
  await served.send('GET', '/')
  const database = openFile(served.ledger, 10_000)
  for (const table of Object.keys(TABLES)) put(database, table)
  const ended = { execution_end: timeText(now), execution_status: 'FAILED', end_reason: 'error' }
  put(database, 'executions', { ...ended, run_id: RUN.replace(/1$/, '2') })
  put(database, 'files', { run_id: RUN.replace(/1$/, '2') })
  database.close()
})
afterAll(() => served.remove())

describe('a ledger whose every text is hostile', () => {
  it('is shown as text on every page', async () => {
    const task = encodeURIComponent(`${HOSTILE}executions.task_name`)
    const shown = new Set<string>()
    const places = [
      '/',
      '/history',
      '/executions/1',
      '/executions/2',
      '/performance',
      '/failures',
      '/graph',
      '/alerts',
    ]
    const more = [
      '/failures?by=task',
      '/failures?by=run',
      '/history?compare=1&compare=2',
      `/history?q=${task}`,
    ]
    for (const path of [
      ...places,
      ...more,
      `/performance?task=${task}`,
      `/history?task=${task}&host=${task}&stage=${task}`,
    ]) {
      const { status, text } = await served.send('GET', path)
      expect([path, status]).toEqual([path, 200])
      expect(text).not.toContain('<img')
      expect(text).not.toContain(`"'`)
      for (const [, column = ''] of text.matchAll(ESCAPED)) shown.add(column)
    }
    // Nothing is proved by pages that show none of it.
    expect([...shown].sort()).toEqual(
      expect.arrayContaining([
        ...[
          'task_name',
          'task_stage',
          'hostname',
          'user_name',
          'error_message',
          'error_detail',
          'argv',
          'log_path',
        ].map((name) => `executions.${name}`),
        ...['executions.subtask_name', 'executions.subtask_progress_message', 'events.kind'],
        ...['subtasks.name', 'files.error_message', 'files.error_code'],
      ]),
    )
  })

  it('is one cell of a CSV file that no spreadsheet calculates', async () => {
    const formula = '=HYPERLINK("http://x")'
    const { json } = await served.send('POST', '/api/v1/executions', { task_name: formula })
    await served.send('POST', `/api/v1/executions/${String(json['run_id'])}/error`, {
      message: '+1, "a"\n@b',
    })
    const { text } = await served.send('GET', '/api/v1/executions?format=csv')
    expect(text).toContain(`"'=HYPERLINK(""http://x"")"`)
    for (const line of text.split('\n')) expect(line).not.toMatch(/(?:^|,)"?[=+@]/)
  })
})
