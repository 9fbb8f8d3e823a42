import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { SqliteQueue } from '../../src/queue/sqlite/sqlite-queue.ts'
import { identity, now, startTicks } from '../../src/platform/host.ts'
import { answers, DIALECTS, MAPPING, openSite, payload, type Dialect, type Site } from './databases.ts'

const ITEMS = Number(process.env['RECORDS_INSTANCE_ITEMS'] ?? 120)
const KILLS = Number(process.env['RECORDS_INSTANCE_KILLS'] ?? 3)
const PAUSE = Number(process.env['RECORDS_KILL_EVERY_MS'] ?? 500)

const there: Dialect[] = []
for (const dialect of DIALECTS)
  if (await answers(dialect)) there.push(dialect)
  else console.warn(`skipped: no ${dialect} answers`)

const argv = (site: Site): string[] => [
  'dist/main.js',
  'records',
  'run',
  'orders',
  '--all',
  '--config',
  site.config,
]
const lines = (dialect: Dialect): string => (dialect === 'mysql' ? '`lines`' : 'lines')

let site: Site
const children: ChildProcess[] = []
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await site.close()
})

/** Starts an instance; its end is awaited with `ended`. */
const start = (): { child: ChildProcess; ended: Promise<number | string | null> } => {
  const child = spawn(process.execPath, argv(site), { stdio: 'ignore' })
  children.push(child)
  return {
    child,
    ended: new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal ?? code))),
  }
}

const prepare = async (dialect: Dialect, items: number): Promise<void> => {
  site = await openSite(dialect)
  appendFileSync(site.config, 'queue: { url: "sqlite:queue.db", lease_seconds: 5 }\n')
  await site.fill(
    Object.fromEntries(
      Array.from({ length: items }, (_, index) => [
        index + 1,
        payload(index + 1, { customer: `c${index % 5}` }),
      ]),
    ),
  )
}

const openQueueFile = (): Promise<SqliteQueue> =>
  SqliteQueue.open({
    path: join(site.folder, 'work', 'queue.db'),
    instance: 'onlooker',
    identity: identity(),
    lease: 5000,
    now,
    startTicksOf: startTicks,
    works: false,
  })

const allStoredOnce = async (dialect: Dialect, items: number): Promise<void> => {
  expect(
    await site.database.session.rows(
      'SELECT status, code, COUNT(*) AS items FROM processing_log GROUP BY status, code',
    ),
  ).toMatchObject([{ status: 'success', code: null }])
  expect(await site.count("SELECT COUNT(*) FROM processing_log WHERE status = 'success'")).toBe(items)
  expect(await site.count('SELECT COUNT(*) FROM orders')).toBe(items)
  expect(await site.count(`SELECT COUNT(*) FROM ${lines(dialect)}`)).toBe(items * 2)
}

const metricsOf = (): Record<string, number>[] => {
  const folder = join(site.folder, 'work', 'metrics')
  return readdirSync(folder).map(
    (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, number>,
  )
}
const sum = (numbers: readonly (number | undefined)[]): number =>
  numbers.reduce<number>((total, one) => total + (one ?? 0), 0)

describe('three instances on one backlog', () => {
  it('try each item once, and share the work', async () => {
    await prepare('sqlite', ITEMS)
    const codes = await Promise.all([start(), start(), start()].map(({ ended }) => ended))
    expect(codes).toEqual([0, 0, 0])
    await allStoredOnce('sqlite', ITEMS)
    const metrics = metricsOf()
    expect(metrics).toHaveLength(3)
    expect(sum(metrics.map((one) => one['total_applications_processed']))).toBe(ITEMS)
    expect(sum(metrics.map((one) => one['done_before']))).toBe(0)
  })

  it.each(there)(
    'killed again and again, lose nothing in %s, store nothing twice and fail nothing',
    async (dialect) => {
      await prepare(dialect, ITEMS)
      const running = [start(), start(), start()]
      for (let kill = 0; kill < KILLS; kill++) {
        await new Promise((resolve) => setTimeout(resolve, PAUSE))
        const at = kill % running.length
        running[at]!.child.kill('SIGKILL')
        await running[at]!.ended
        running[at] = start()
      }
      expect(await Promise.all(running.map(({ ended }) => ended))).toEqual([0, 0, 0])
      await allStoredOnce(dialect, ITEMS)
      const store = await openQueueFile()
      try {
        expect(await store.counts()).toMatchObject([
          { stage: 'records:orders', pending: 0, claimed: 0, done: ITEMS, failed: 0 },
        ])
      } finally {
        await store.close()
      }
    },
  )
})

/** A payload that needs more memory than the process has. */
const killer = (id: number): string =>
  payload(id).replace('</order>', `${'<line no="1" qty="1"/>'.repeat(500_000)}</order>`)
/** With one worker nothing is mapped in a thread, so that the process dies and not a thread of it. */
const runSmall = (workers = '1'): string | number | null => {
  const { status, signal } = spawnSync(
    process.execPath,
    ['--max-old-space-size=64', ...argv(site), '--workers', workers],
    { stdio: 'ignore' },
  )
  return signal ?? status
}

describe('an item that ends its process', () => {
  const withKiller = async (queue: boolean): Promise<void> => {
    site = await openSite('sqlite')
    if (queue) appendFileSync(site.config, 'queue: { url: "sqlite:queue.db", lease_seconds: 5 }\n')
    writeFileSync(join(site.folder, 'map.yaml'), `${MAPPING}limits: { nodes: 5000000 }\n`)
    await site.fill({ 1: payload(1), 2: payload(2), 3: killer(3), 4: payload(4), 5: payload(5) })
  }
  it.each([
    { what: 'alone', queue: false },
    { what: 'with a backlog', queue: true },
  ])('is failed as poison after three deaths, $what, and no other item is', async ({ queue }) => {
    await withKiller(queue)
    expect([runSmall(), runSmall(), runSmall()]).toEqual(['SIGABRT', 'SIGABRT', 'SIGABRT'])
    expect(runSmall()).toBe(1)
    expect(
      await site.database.session.rows('SELECT app_id, status, code FROM processing_log ORDER BY app_id'),
    ).toEqual(
      [1, 2, 3, 4, 5].map((id) => ({
        app_id: id,
        status: id === 3 ? 'failed' : 'success',
        code: id === 3 ? 'POISON' : null,
      })),
    )
    expect(runSmall()).toBe(0)
  })
  it.each([
    { what: 'alone', queue: false },
    { what: 'with a backlog', queue: true },
  ])(
    'only ends a thread of it where it has some, $what, and is failed in the same run',
    async ({ queue }) => {
      await withKiller(queue)
      expect(runSmall('2')).toBe(1)
      expect(
        await site.database.session.rows('SELECT app_id, status, code FROM processing_log ORDER BY app_id'),
      ).toEqual(
        [1, 2, 3, 4, 5].map((id) => ({
          app_id: id,
          status: id === 3 ? 'failed' : 'success',
          code: id === 3 ? 'POISON' : null,
        })),
      )
    },
  )
  it('and one whose thread hangs is failed, while the others are stored', async () => {
    await withKiller(false)
    writeFileSync(
      site.config,
      readFileSync(site.config, 'utf8').replace('workers: 2', 'workers: 2, timeout_seconds: 1'),
    )
    const { status } = spawnSync(process.execPath, argv(site), { stdio: 'ignore' })
    expect(status).toBe(1)
    const [failed] = await site.database.session.rows(
      "SELECT app_id, code, failure_reason FROM processing_log WHERE status = 'failed'",
    )
    expect(failed).toMatchObject({
      app_id: 3,
      code: 'POISON',
      failure_reason: expect.stringContaining('hung three times') as string,
    })
    expect(await site.count("SELECT COUNT(*) FROM processing_log WHERE status = 'success'")).toBe(4)
  })
  it('would end it for ever if nobody noted what it died with', async () => {
    await withKiller(false)
    for (let round = 0; round < 4; round++) {
      expect(runSmall()).toBe('SIGABRT')
      rmSync(join(site.folder, 'work', 'records'), { recursive: true, force: true })
    }
  })
})
