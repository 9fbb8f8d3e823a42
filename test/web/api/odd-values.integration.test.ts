import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFile } from '../../../src/sql/libsql-database.ts'
import { timeText } from '../../../src/sql/timestamps.ts'
import { Served } from '../served.ts'

const served = new Served()
const RUN = 'c0000000-0000-4000-8000-00000000000a'
const ESCAPE = '\u001b]0;owned\u0007\u009b31m'
const TASK = `evil\u202e${ESCAPE}\r\n"x", y`
const insert = (cells: Readonly<Record<string, unknown>>): void => {
  const database = openFile(served.ledger, 10_000)
  const names = Object.keys(cells)
  database
    .prepare(`INSERT INTO executions (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
    .run(Object.values(cells))
  database.close()
}
const rowOf = (start: number, more: Readonly<Record<string, unknown>> = {}) => ({
  ...{ run_id: randomUUID(), task_name: 'many', hostname: 'h', process_id: 1, revision: 1 },
  ...{ execution_start: timeText(start), last_update: timeText(start), execution_status: 'FINISHED' },
  ...more,
})
const now = Date.now()

beforeAll(async () => {
  await served.start()
  await served.send('GET', '/')
  const texts = {
    task_name: TASK,
    subtask_name: `s${ESCAPE}`,
    error_message: `e\n${ESCAPE}\u2067`,
    error_detail: `d${ESCAPE}`,
  }
  insert(rowOf(now - 60_000, { run_id: RUN, execution_status: 'FAILED', ...texts }))
})
afterAll(() => served.remove())

describe('texts with control characters and other directions of writing', () => {
  it.each(['/', '/history', '/failures', `/executions/${RUN}`])(
    'stand escaped on the page %s',
    async (path) => {
      const { status, text } = await served.send('GET', path)
      expect(status).toBe(200)
      expect(text).toContain(String.raw`evil\u{202e}\x1b]0;owned\x07\x9b31m`)
      expect(text).not.toMatch(/[^\P{Cc}\t\n\r]|[\u202a-\u202e\u2066-\u2069]/u)
    },
  )
  it('are one line of a CSV file', async () => {
    const { text } = await served.send('GET', '/api/v1/executions?format=csv')
    expect(text.trimEnd().split('\r\n')).toHaveLength(2)
    expect(text).toContain(String.raw`"evil\u{202e}\x1b]0;owned\x07\x9b31m\r\n""x"", y"`)
    expect(text.replaceAll('\r\n', '')).not.toMatch(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u)
  })
})

describe('a span of time in a question', () => {
  it.each(['-1', '5', 'March 3', '2026-10-25T02:30', '2026-13-45', '2026-11-27T10:00:00'])(
    'is refused where it is %s',
    async (from) => {
      const { status, text } = await served.send('GET', `/api/v1/executions?from=${encodeURIComponent(from)}`)
      expect([status, text.includes('or a moment with its zone')]).toEqual([400, true])
    },
  )
  it.each(['2026-03-29', '2026-03-29T02:30:00+02:00', '2026-03-29T02:30Z', '2026-03-29T02:30:00.123-0500'])(
    'may be %s, also with a plus that is not escaped',
    async (from) => {
      for (const written of [encodeURIComponent(from), from])
        expect((await served.send('GET', `/api/v1/executions?from=${written}`)).status).toBe(200)
    },
  )
})

describe('a list that is read in parts while executions begin', () => {
  it('has each that was there once, and none twice', { timeout: 60_000 }, async () => {
    const there = Array.from({ length: 40 }, (_, i) => rowOf(now - 120_000 - Math.floor(i / 5) * 1000))
    for (const row of there) insert(row)
    const seen: string[] = []
    for (let cursor = '', parts = 0; parts === 0 || cursor !== ''; parts++) {
      const { json } = await served.send('GET', `/api/v1/executions?task=many&limit=7&cursor=${cursor}`)
      seen.push(...(json['items'] as { runId: string }[]).map(({ runId }) => runId))
      cursor = (json['next'] as string | undefined) ?? ''
      // One that begins now, and one in the same millisecond as others.
      insert(rowOf(Date.now()))
      insert(rowOf(now - 122_000))
    }
    expect(new Set(seen).size).toBe(seen.length)
    for (const { run_id } of there) expect(seen).toContain(run_id)
  })
})
