import { spawnSync } from 'node:child_process'
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { MAPPING, openSite, payload, type Site } from './databases.ts'

const argv = (site: Site): string[] => [
  'dist/main.js',
  'records',
  'run',
  'orders',
  '--all',
  '--config',
  site.config,
]
let site: Site
afterEach(async () => {
  await site.close()
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
