import { spawnSync } from 'node:child_process'
import { afterEach, describe, expect, it } from 'vitest'
import { openSite, payload, type Site } from './databases.ts'

const ITEMS = 120

describe('records run with threads', () => {
  let site: Site
  afterEach(() => site.close())

  /** What the log and the tables hold after a run of the built program. */
  const after = async (workers: string) => {
    site = await openSite('sqlite')
    await site.fill(
      Object.fromEntries(
        Array.from({ length: ITEMS }, (_, index) => [
          index + 1,
          index % 10 === 3 ? payload(index + 1, { total: 'ten' }) : payload(index + 1),
        ]),
      ),
    )
    await site.fill({
      1001: '<order',
      1002: payload(1002).replace('</order>', `<line no="3" qty="x"/>${' '.repeat(300_000)}</order>`),
      1003: null,
    })
    const { status } = spawnSync(process.execPath, [
      'dist/main.js',
      'records',
      'run',
      'orders',
      '--config',
      site.config,
      '--workers',
      workers,
    ])
    const rows = (sql: string) => site.database.session.rows(sql)
    return {
      status,
      log: await rows(
        'SELECT app_id, status, stage, code, failure_reason, detail, warnings, result, tables, payload_sha256 FROM processing_log ORDER BY app_id',
      ),
      orders: await rows('SELECT * FROM orders ORDER BY record_id'),
      lines: await rows('SELECT * FROM lines ORDER BY record_id, no'),
    }
  }

  it('stores and logs what it does without them', async () => {
    const alone = await after('1')
    await site.close()
    const threaded = await after('3')
    expect(threaded).toEqual(alone)
    expect(alone.log).toHaveLength(ITEMS + 3)
    expect(alone.orders).toHaveLength(ITEMS - ITEMS / 10)
  })
})
